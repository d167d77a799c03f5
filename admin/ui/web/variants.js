// The variants of a service as they are deployed.
import { html } from "./html.js";
import { Badge } from "./icons.js";

/** A table of variants and their endpoints. */
export function Variants({ service, view }) {
  if (!service) return null;
  return html`<section class="card" aria-labelledby="variants-title"><h2 id="variants-title">Variants</h2>
    <p class="faint">${service.match.join(", ") || "every request"}</p>
    <ul class="plain variants">${service.variants.map((v) => html`<li>
      <p><span class=${`swatch ${v.name === (view?.canary ?? "") ? "canary" : v.name === (view?.stable ?? service.stable) ? "stable" : "none"}`}></span><b>${v.name}</b> <span class="faint">${v.revision ?? ""}</span></p>
      <p class="addresses">${(v.addresses.length ? v.addresses : v.endpoints.map((endpoint) => ({ endpoint, up: true }))).map((a) => html`
        <span><code>${a.address || a.endpoint}</code>${!a.up && html`<${Badge} tone="bad" icon="cross" text=${a.unhealthy ? "Unhealthy" : "Ejected"} />`}</span>`)}</p></li>`)}</ul></section>`;
}
