// All services: what needs somebody on top.
import { order } from "./api.js";
import { Dialog, Field } from "./dialog.js";
import { classes, html, useEffect, useRef, useState } from "./html.js";
import { Icon } from "./icons.js";
import { Row } from "./row.js";
import { byAttention, filters, matches, running } from "./standing.js";

const many = 200; // rows that are drawn before somebody asks for more
const atOnce = 40; // rows that are drawn for the first time in one frame, so that none is late

/** The first page. */
export function Overview({ fleet, who, config, link }) {
  const [, redraw] = useState(0), [filter, setFilter] = useState("all"), [text, setText] = useState(""), [most, setMost] = useState(many), [asking, setAsking] = useState(false), [drawn, setDrawn] = useState(atOnce);
  const search = useRef();
  useEffect(() => fleet.on("", () => redraw((n) => n + 1)), [fleet]);
  useEffect(() => {
    const slash = (e) => {
      if (e.key !== "/" || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input, textarea, select, dialog")) return;
      e.preventDefault();
      search.current.focus();
    };
    addEventListener("keydown", slash);
    return () => removeEventListener("keydown", slash);
  }, []);
  const all = [...fleet.services.values()], chosen = filters.find(([name]) => name === filter)[2];
  const found = all.filter((s) => chosen(s) && (!text || matches(s, text))).sort(byAttention);
  const out = all.filter((s) => running(s.rollout)), live = all.filter((s) => running(s.rollout) || s.rollout?.phase === "pending");
  const shown = Math.min(found.length, most, drawn);
  useEffect(() => {
    if (drawn >= Math.min(found.length, most)) return undefined;
    const frame = requestAnimationFrame(() => setDrawn(drawn + atOnce));
    return () => cancelAnimationFrame(frame);
  }, [drawn, found.length, most]);
  return html`
    <div class="head">
      <h1>Services</h1>
      <p class="sub">${sentence(all, out)}</p>
      <button class="danger ghost" disabled=${!who.changes || live.length === 0} onClick=${() => setAsking(true)}><${Icon} name="undo" />Roll back all</button>
    </div>
    <${Failure} config=${config} />
    <div class="tools">
      <label class="search"><${Icon} name="search" /><input ref=${search} type="search" placeholder="Search services" aria-label="Search services" aria-keyshortcuts="/"
        value=${text} onInput=${(e) => setText(e.target.value)} /><kbd aria-hidden="true">/</kbd></label>
      <div class="filters" role="group" aria-label="Show">${filters.map(([name, label, is]) => {
        const n = all.filter(is).length;
        return html`<button aria-pressed=${filter === name} class=${classes("chip", name === "attention" && n > 0 && "hot")} onClick=${() => setFilter(name)}>${label} <b>${n}</b></button>`;
      })}</div>
    </div>
    <ul class="services" aria-label="Services">${found.slice(0, shown).map((s) => html`<${Row} key=${s.service} fleet=${fleet} name=${s.service} />`)}</ul>
    ${found.length > most && html`<p class="hint"><button class="quiet" onClick=${() => setMost(most + many)}>Show ${Math.min(many, found.length - most)} more of ${found.length}</button></p>`}
    ${fleet.unlisted > 0 && html`<p class="hint">${fleet.unlisted} more services have no rollout and are not listed.</p>`}
    ${found.length === 0 && html`<p class="hint">${all.length > 0 ? "No service is like that." : link === "live" ? "No services are configured." : "Loading…"}</p>`}
    ${asking && html`<${AbortAll} services=${live} close=${() => setAsking(false)} />`}`;
}

function sentence(all, out) {
  if (all.length === 0) return "";
  const needs = all.filter((s) => s.rollout?.needs_person).length;
  const parts = [`${all.length} ${all.length === 1 ? "service" : "services"}`, out.length ? `${out.length} rolling out` : "nothing rolling out"];
  if (needs) parts.push(`${needs} ${needs === 1 ? "waits" : "wait"} for a person`);
  return `${parts.join(" · ")}`;
}

/** What was wrong with the configuration when it was last loaded. */
export const Failure = ({ config }) => config && !config.ok && html`<a class="banner bad" href="#/config"><${Icon} name="cross" />
  <span><b>The last reload failed.</b> The configuration before it is in force. ${config.error?.split("\n")[0]}</span></a>`;

function AbortAll({ services, close }) {
  const [reason, setReason] = useState("");
  return html`<${Dialog} title="Roll back all" action=${`Roll back ${services.length}`} danger close=${close}
    submit=${() => order("/api/v1/rollouts/abort", { reason: reason.trim() })}>
    ${() => html`<p>Every rollout that is not decided ends now, also one that has not begun, and the stable variants take all traffic:</p>
      <ul class="plain">${services.slice(0, 12).map((s) => html`<li><b>${s.service}</b> ${s.rollout.canary} → ${s.rollout.stable}</li>`)}
        ${services.length > 12 && html`<li>and ${services.length - 12} more</li>`}</ul>
      <${Field} label="Reason (optional)" hint="It is kept in history and audit."><input type="text" maxlength="500" value=${reason} onInput=${(e) => setReason(e.target.value)} autofocus /><//>`}
  <//>`;
}
