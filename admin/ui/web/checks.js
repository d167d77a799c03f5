// Each check with its evidence drawn against its bound.
import { count, odds, percent, points } from "./format.js";
import { interval, place, progress } from "./evidence.js";
import { classes, html } from "./html.js";
import { Badge } from "./icons.js";
import { verdictOf } from "./standing.js";

/** All checks of a verdict. */
export function Checks({ verdict }) {
  if (verdict.checks.length === 0) return null;
  return html`<section class="card" aria-labelledby="checks-title"><h2 id="checks-title">Checks</h2>
    <p class="legend"><span class="key zone">beyond the tolerance</span><span class="key range">canary against stable, 95 %</span><span class="key evidence">evidence on the way to a decision</span></p>
    <div class="checks">${verdict.checks.map((check) => html`<${Check} key=${check.name} check=${check} />`)}</div></section>`;
}

function Check({ check }) {
  const drawn = interval(check), unit = check.mean ? (v) => count(v) : points, own = check.mean ? count : percent;
  const about = !check.critical || check.muted ? (check.muted ? "muted: shown, counts for nothing" : "does not roll back") : check.alone ? "absolute" : "";
  return html`<article class=${classes("check", check.muted && "muted")} aria-label=${`Check ${check.name}`}>
    <header><h3>${check.name}</h3>${about && html`<small class="faint">${about}</small>`}<${Badge} ...${verdictOf(check.class)} /><span class="score">${Math.round(check.score)}</span></header>
    ${drawn ? html`<${Interval} drawn=${drawn} unit=${check.alone ? own : unit} check=${check} />` : html`<p class="hint">${check.threshold ? `${check.readings ?? 0} readings, ${check.beyond ?? 0} beyond in a row` : "No requests to compare yet."}</p>`}
    ${!check.threshold && html`<${Evidence} check=${check} />`}
    <p class="sentence">${check.sentence}</p>
    ${check.sees && check.class !== "pass" && check.class !== "fail" && html`<p class="faint">${check.sees}</p>`}
  </article>`;
}

/** The interval of the difference against the tolerance, on one axis. */
function Interval({ drawn, unit, check }) {
  const at = (v) => place(v, drawn.domain), harm = drawn.falls ? [0, at(drawn.bound)] : [at(drawn.bound), 100];
  const said = `${check.alone ? "canary" : "difference to stable"} ${unit(drawn.at)}, between ${unit(drawn.low)} and ${unit(drawn.high)}; allowed ${unit(drawn.bound)}`;
  const beyond = drawn.falls ? drawn.high < drawn.bound : drawn.low > drawn.bound, within = drawn.falls ? drawn.low > drawn.bound : drawn.high < drawn.bound;
  return html`<div class=${classes("interval", beyond && "beyond", within && "within")} role="img" aria-label=${said}>
    <span class="zone" style=${{ left: `${harm[0]}%`, width: `${harm[1] - harm[0]}%` }}></span>
    ${drawn.zero !== null && html`<span class="zero" style=${{ left: `${at(drawn.zero)}%` }}></span>`}
    <span class="bound" style=${{ left: `${at(drawn.bound)}%` }}></span>
    <span class="range" style=${{ left: `${at(drawn.low)}%`, width: `${Math.max(0.6, at(drawn.high) - at(drawn.low))}%` }}></span>
    <span class="point" style=${{ left: `${at(drawn.at)}%` }}></span>
  </div>
  <p class="ends" aria-hidden="true"><span>${unit(drawn.low)}</span><b>${unit(drawn.at)}</b><span>${unit(drawn.high)}</span><span class="limit">allowed ${unit(drawn.bound)}</span></p>`;
}

/** How far the evidence has come: to the left towards a rollback, to the right towards "shown within tolerance". */
function Evidence({ check }) {
  const harm = progress(check.evidence, check.needed), safe = progress(check.tolerance_evidence, check.tolerance_needed);
  const said = `evidence of harm ${odds(check.evidence)}, needed ${odds(check.needed)}; evidence of being within tolerance ${odds(check.tolerance_evidence)}, needed ${odds(check.tolerance_needed)}`;
  return html`<div class="evidence" role="img" aria-label=${said}>
      <span class="half harm"><i style=${{ width: `${harm * 100}%` }}></i></span><span class="half safe"><i style=${{ width: `${safe * 100}%` }}></i></span></div>
    <p class="ends" aria-hidden="true"><span>harm: ${odds(check.evidence)}<small> of ${count(check.needed)}</small></span><span>safe: ${odds(check.tolerance_evidence)}<small> of ${count(check.tolerance_needed)}</small></span></p>`;
}
