// The answer to five questions in five seconds.
import { orders, sequence } from "./actions.js";
import { ago, clock, count, percent, rate } from "./format.js";
import { classes, html } from "./html.js";
import { Badge, Icon } from "./icons.js";
import { column, latest } from "./release.js";
import { WeightBar } from "./row.js";
import { phaseOf, running, verdictOf } from "./standing.js";
import { missing, whatIsOut, whyItWaits } from "./words.js";

/** The top of the page of a rollout. */
export function Hero({ release, who, login, ask, stale }) {
  const { view, rows } = release, phase = phaseOf(view), row = latest(rows);
  return html`<section class=${classes("hero", phase.tone, stale && "stale")} aria-label="Rollout">
    <div class="head">
      <div class="title"><a class="back" href="#/" aria-label="All services">Services</a><h1>${view.service}</h1></div>
      <p class="sub"><span class="swatch stable"></span>${view.stable}<span class="unseen"> to </span><${Icon} name="arrow" /><span class="swatch canary"></span>${view.canary}
        <span class="faint">policy ${view.policy}${view.attempt > 1 ? ` · attempt ${view.attempt}` : ""}</span></p>
      <${Badge} ...${phase} big />
    </div>
    <div class="answers">
      <div class="answer"><h2>Out</h2><p class="huge">${view.weight}</p><${WeightBar} weight=${view.weight} /><p>${whatIsOut(view)}</p></div>
      <${Health} view=${view} row=${row} />
      <${Next} view=${view} />
      <${Buttons} view=${view} who=${who} ask=${ask} login=${login} />
    </div>
    ${view.notes.length > 0 && html`<ul class="notes">${view.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
  </section>`;
}

function Health({ view, row }) {
  const { verdict } = view, look = verdictOf(verdict.class), known = verdict.checks.length > 0;
  const failing = (side) => (row[side.rate] > 0 ? percent(row[side.failed] / row[side.rate], 2) : "–");
  return html`<div class="answer"><h2>Healthy?</h2>
    ${known ? html`<p class="huge"><${Badge} ...${look} big /><span class="score" title="0: regression proven, 50: we do not know, 100: shown within tolerance">${Math.round(verdict.score)}<small>/100</small></span></p>`
      : html`<p class="huge faint">–</p>`}
    <${Meter} score=${known ? verdict.score : 50} />
    <p class="sentence">${verdict.sentence || "Nothing has been judged yet."}</p>
    <p class="pair"><span><span class="swatch stable"></span>${rate(row[column.stable.rate])}/s · ${failing(column.stable)} fail</span>
      <span><span class="swatch canary"></span>${rate(row[column.canary.rate])}/s · ${failing(column.canary)} fail</span></p></div>`;
}

/** The score as a place between "regression proven" and "shown within tolerance". */
const Meter = ({ score }) => html`<span class="meter" aria-hidden="true"><i style=${{ left: `${score}%` }}></i></span>`;

function Next({ view }) {
  const why = whyItWaits(view), waits = missing(view);
  return html`<div class="answer"><h2>Next</h2>
    <p class="next">${view.next || "Nothing: this rollout has ended."}</p>
    ${why && html`<p class="waits"><b>${why}</b></p>`}
    ${view.reason && html`<p class="sentence">${view.reason}</p>`}
    ${waits.length > 0 && html`<ul class="waiting">${waits.map((text) => html`<li>${text}</li>`)}</ul>`}
    ${running(view) && view.stage.rest && !waits.some((text) => / left/.test(text)) && html`<p class="faint">${view.stage.rest}</p>`}
    ${running(view) && html`<p class="faint">${count(view.stage.requests)} canary requests on this step, ${count(view.stage.failed)} failed</p>`}
    ${view.ended && html`<p class="faint">Ended ${clock(view.ended)}, ${ago(view.ended)}</p>`}
    ${view.retry_at && html`<p class="faint">Tried again ${ago(view.retry_at)}</p>`}</div>`;
}

function Buttons({ view, who, ask, login }) {
  const all = orders(view), possible = new Set(view.possible ?? []), stop = possible.has("abort");
  const shown = sequence.filter((name) => possible.has(name));
  const first = view.pause && !possible.has("resume") ? "promote" : ["start", "resume", "retry"].find((name) => possible.has(name));
  return html`<div class="answer orders"><h2>Your call</h2>
    ${stop && html`<button class="danger stop" disabled=${!who.changes} onClick=${() => ask("abort")}><${Icon} name="undo" />${all.abort.label}</button>`}
    <div class="buttons" role="group" aria-label="Orders">${shown.map((name) => html`<button key=${name} class=${name === first ? "primary" : ""} disabled=${!who.changes}
      onClick=${() => ask(name)}><${Icon} name=${all[name].icon} />${all[name].label}</button>`)}</div>
    ${!stop && shown.length === 0 && html`<p class="faint">There is nothing to decide.</p>`}
    ${!who.changes && html`<p class="readonly"><${Icon} name="lock" /><span>You see everything and change nothing.</span>${who.login && html`<button class="quiet" onClick=${login}>Log in to change</button>`}</p>`}</div>`;
}
