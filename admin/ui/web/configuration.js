// The configuration as it is in force, and what was wrong with the file when it was last read.
import { get, post } from "./api.js";
import { ago, clock } from "./format.js";
import { html, useEffect, useState } from "./html.js";
import { Badge, Icon } from "./icons.js";

/** The page of the configuration. */
export function Configuration({ who, config }) {
  const [shown, setShown] = useState(null), [failure, setFailure] = useState(""), [said, setSaid] = useState("");
  useEffect(() => { get("/api/v1/config").then(setShown, (p) => setFailure(p.message)); }, [config?.loaded]);
  const now = config ?? shown;
  async function reload() {
    setSaid("Reloading…");
    setFailure("");
    try {
      setShown(await post("/-/reload"));
      setSaid("Reloaded.");
    } catch (problem) {
      setSaid("");
      setFailure(problem.message);
    }
  }
  return html`<div class="head"><h1>Configuration</h1>
      <p class="sub">In force, with all defaults. Secrets are hidden.</p>
      <button onClick=${reload} disabled=${!who.changes}><${Icon} name="undo" />Reload</button></div>
    <p class="hint" role="status">${said}</p>
    ${failure && html`<pre class="failure" role="alert">${failure}</pre>`}
    ${now && html`<section class="card"><div class="facts">
        <div><h2>Last attempt</h2><p><${Badge} ...${now.ok ? { tone: "good", icon: "check", text: "Loaded" } : { tone: "bad", icon: "cross", text: "Failed" }} /></p></div>
        <div><h2>Attempted</h2><p>${clock(now.attempted)} <span class="faint">${ago(now.attempted)}</span></p></div>
        <div><h2>In force since</h2><p>${clock(now.loaded)} <span class="faint">${ago(now.loaded)}</span></p></div></div>
      ${!now.ok && html`<h2>What is wrong with the file</h2><pre class="wrong" tabindex="0" role="region" aria-label="Problems of the file">${now.error}</pre>`}</section>`}
    ${shown && html`<section class="card"><h2>Effective</h2><pre class="yaml" tabindex="0" role="region" aria-label="Effective configuration">${shown.effective}</pre></section>`}`;
}
