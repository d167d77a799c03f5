// The way of a rollout: what is done, where it is, what comes, and why it waits.
import { count, duration, seconds, share } from "./format.js";
import { classes, html } from "./html.js";
import { Icon } from "./icons.js";
import { running, timeline } from "./standing.js";
import { missing } from "./words.js";

const marks = { done: ["check", "done"], now: ["play", "now"], stopped: ["undo", "stopped here"], next: ["dots", "to come"] };

/** The timeline. */
export function Steps({ view }) {
  const stages = timeline(view);
  if (stages.length === 0) return null;
  return html`<section class="card" aria-labelledby="steps-title"><h2 id="steps-title">Steps</h2>
    <ol class="steps">
      ${stages.map((stage, i) => html`<${Step} key=${i} stage=${stage} view=${view} />`)}
      <${Step} stage=${{ name: "promoted", weight: "100%", state: view.phase === "promoted" ? "done" : "next", end: true }} view=${view} />
    </ol></section>`;
}

function Step({ stage, view }) {
  const now = stage.state === "now", [icon, said] = marks[stage.state];
  const asks = stage.approval && !now ? "then a person approves" : "";
  return html`<li class=${classes("step", stage.state, view.pause && now && "waits", view.hold && now && "waits")} aria-current=${now ? "step" : undefined}>
    <span class="dot"><${Icon} name=${now && (view.pause || view.hold) ? "pause" : icon} /></span>
    <div><p class="step-name"><b>${stage.end ? "Promoted" : stage.name}</b><span class="unseen">, ${said}</span></p>
      <p class="faint">${stage.end ? `${view.canary} for everybody` : detail(stage)}</p>
      ${asks && html`<p class="faint gate"><${Icon} name="hand" />${asks}</p>`}
      ${now && html`<${Now} view=${view} />`}</div></li>`;
}

function detail(stage) {
  const parts = [];
  if (stage.name !== stage.weight) parts.push(stage.weight);
  if (stage.segment) parts.push(`segment ${stage.segment}`);
  if (stage.opt_in) parts.push(`opted in: ${stage.opt_in}`);
  parts.push(`at least ${duration(seconds(stage.duration))}`);
  return parts.join(" · ");
}

function Now({ view }) {
  const { stage } = view, elapsed = seconds(stage.elapsed), least = seconds(stage.duration);
  const time = least > 0 ? Math.min(1, elapsed / least) : 1, requests = stage.min_requests > 0 ? Math.min(1, stage.judged / stage.min_requests) : 1;
  if (!running(view)) return null;
  return html`${stage.ramp && html`<${Bar} part=${(share(view.weight) - share(stage.ramp.from)) / (share(stage.ramp.to) - share(stage.ramp.from) || 1)} text=${`ramp ${view.weight} of ${stage.ramp.to}`} />`}
    <${Bar} part=${time} text=${`${duration(elapsed)} of ${duration(least)}`} />
    ${stage.compared && stage.min_requests > 0 && html`<${Bar} part=${requests} text=${stage.judged < stage.min_requests ? `${count(stage.judged)} of ${count(stage.min_requests)} requests` : `${count(stage.judged)} requests, ${count(stage.min_requests)} needed`} />`}
    ${missing(view).slice(0, 2).map((text) => html`<p class="why">${text.split(";")[0]}</p>`)}`;
}

const Bar = ({ part, text }) => html`<p class="progress"><span class="bar" aria-hidden="true"><i style=${{ width: `${Math.max(0, Math.min(1, part)) * 100}%` }}></i></span><small>${text}</small></p>`;
