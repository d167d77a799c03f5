// Rollouts that have ended, with their reports.
import { get } from "./api.js";
import { ago, clock, duration } from "./format.js";
import { html, useEffect, useState } from "./html.js";
import { Badge, Icon } from "./icons.js";
import { phaseOf } from "./standing.js";

/** A table of ended rollouts. */
export function Ended({ ended, named }) {
  if (ended.length === 0) return html`<p class="hint">No rollout has ended yet.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of ended rollouts"><table><thead><tr>
      ${named && html`<th scope="col">Service</th>`}<th scope="col">Result</th><th scope="col">Release</th><th scope="col">Ended</th><th scope="col">Took</th><th scope="col">Why</th><th scope="col">Report</th></tr></thead>
    <tbody>${ended.map((e) => html`<tr key=${e.id}>
      ${named && html`<th scope="row"><a href=${`#/service/${encodeURIComponent(e.service)}`}>${e.service}</a></th>`}
      <td><${Badge} ...${phaseOf({ phase: e.result })} /></td>
      <td class="nowrap">${e.stable} → ${e.canary}${e.attempt > 1 ? `, attempt ${e.attempt}` : ""}</td>
      <td class="nowrap"><time datetime=${e.ended} title=${ago(e.ended)}>${clock(e.ended)}</time></td>
      <td class="nowrap">${e.started ? duration((Date.parse(e.ended) - Date.parse(e.started)) / 1000) : "–"}</td>
      <td class="why">${e.rule}</td>
      <td class="nowrap"><${Links} id=${e.id} /></td></tr>`)}</tbody></table></div>`;
}

const Links = ({ id }) => {
  const path = `/api/v1/reports/${encodeURIComponent(id)}?format=`;
  return html`<a class="button" href=${`${path}html`} target="_blank" rel="noopener" aria-label=${`Read the report of ${id}, opens in a new tab`}><${Icon} name="report" />Read</a>
    <a class="minor" href=${`${path}markdown`} target="_blank" rel="noopener">Markdown</a>`;
};

/** The page of all ended rollouts. */
export function History({ heard }) {
  const [ended, setEnded] = useState(null), [failure, setFailure] = useState("");
  const read = () => get("/api/v1/history").then((all) => setEnded(all.ended), (p) => setFailure(p.message));
  useEffect(() => {
    read();
    return heard((e) => ends(e) && read());
  }, []);
  return html`<div class="head"><h1>History</h1><p class="sub">Rollouts that have ended, the latest first.</p></div>
    ${failure && html`<p class="failure" role="alert">${failure}</p>`}
    <section class="card">${ended ? html`<${Ended} ended=${ended} named />` : html`<p class="hint">Loading…</p>`}</section>`;
}

/** Whether an event is the end of a rollout. */
export const ends = (e) => ["rolled_back", "promoted", "superseded", "finished"].includes(e.kind);
