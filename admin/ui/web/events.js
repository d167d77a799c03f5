// The events of all rollouts there are, as they happen.
import { get } from "./api.js";
import { ago, clock, title } from "./format.js";
import { html, useEffect, useState } from "./html.js";
import { Icon } from "./icons.js";

const looks = {
  rolled_back: ["bad", "undo"], part_rolled_back: ["bad", "undo"], stepped_back: ["bad", "undo"], promoted: ["good", "check"], finished: ["good", "check"],
  started: ["info", "play"], step: ["info", "arrow"], ramp: ["info", "arrow"], baking: ["info", "clock"], retried: ["info", "play"], resumed: ["info", "play"],
  paused: ["warn", "pause"], hold: ["warn", "pause"], override: ["warn", "hand"], weight: ["warn", "weight"], waiting: ["warn", "clock"],
};

/** A list of events, the latest first. */
export function EventList({ events, named, most = 200 }) {
  if (events.length === 0) return html`<p class="hint">Nothing has happened yet.</p>`;
  return html`<ol class="events">${events.slice(-most).reverse().map((e) => {
    const [tone, icon] = looks[e.kind] ?? ["quiet", "dash"];
    return html`<li key=${`${e.service}/${e.rollout}/${e.sequence}`}>
      <span class=${`mark ${tone}`}><${Icon} name=${icon} /></span>
      <div><p><b>${title(e.kind)}</b> ${named && html`<a href=${`#/service/${encodeURIComponent(e.service)}`}>${e.service}</a>`}
        <span class="faint">${e.step_name && e.step_name !== e.weight ? `${e.step_name} · ` : ""}${e.weight}${e.actor ? ` · by ${e.actor}` : ""}</span></p>
        ${e.reason && html`<p class="why">${e.reason}</p>`}${e.numbers && html`<p class="why faint">${e.numbers}</p>`}</div>
      <time datetime=${e.time} title=${ago(e.time)}>${clock(e.time)}</time></li>`;
  })}</ol>`;
}

/** The page of all events, and of all orders. */
export function Events({ heard }) {
  const [events, setEvents] = useState(null), [audit, setAudit] = useState(null), [failure, setFailure] = useState("");
  useEffect(() => {
    const add = (more) => setEvents((before) => merged(before ?? [], more));
    get("/api/v1/rollouts").then((all) => add(all.rollouts.flatMap((r) => r.history)), (p) => setFailure(p.message));
    get("/api/v1/audit?limit=100").then((all) => setAudit(all.audit), (p) => setFailure(p.message));
    return heard((e) => add([e]));
  }, []);
  return html`<div class="head"><h1>Events</h1><p class="sub">What happened to the rollouts there are, and who ordered what.</p></div>
    ${failure && html`<p class="failure" role="alert">${failure}</p>`}
    <div class="columns"><section class="card"><h2>Events</h2>${events ? html`<${EventList} events=${events} named />` : html`<p class="hint">Loading…</p>`}</section>
    <section class="card"><h2>Orders</h2>${audit ? html`<${Orders} audit=${audit} />` : html`<p class="hint">Loading…</p>`}</section></div>`;
}

/** Adds events to others, each once, in the order of time. */
export function merged(before, more) {
  const all = new Map([...before, ...more].map((e) => [`${e.service}/${e.rollout}/${e.sequence}`, e]));
  return [...all.values()].sort((a, b) => Date.parse(a.time) - Date.parse(b.time) || a.sequence - b.sequence);
}

/** Who ordered what. */
export const Orders = ({ audit }) => audit.length === 0 ? html`<p class="hint">Nobody has ordered anything.</p>` : html`<ol class="events">${audit.map((a) => html`<li>
    <span class="mark quiet"><${Icon} name="user" /></span>
    <div><p><b>${title(a.command)}</b> <a href=${`#/service/${encodeURIComponent(a.service)}`}>${a.service}</a>
      <span class="faint">${[a.weight, a.variant, a.item, a.force && "forced"].filter(Boolean).join(" · ")} by ${a.actor || "nobody named"}</span></p>
      ${a.reason && html`<p class="why">${a.reason}</p>`}</div><time datetime=${a.time} title=${ago(a.time)}>${clock(a.time)}</time></li>`)}</ol>`;
