// What bounds a rollout besides the judge: budget, gates, and parts that are judged apart.
import { order } from "./api.js";
import { clock, count, title, words } from "./format.js";
import { classes, html, useState } from "./html.js";
import { Badge, Icon } from "./icons.js";

/** What is left of the stop-loss. */
export function Budget({ view }) {
  const kinds = view.budget.kinds ?? [];
  return html`<section class="card" aria-labelledby="budget-title"><h2 id="budget-title">Budget</h2>
    ${kinds.length === 0 ? html`<p class="hint">The policy sets none. The judge alone decides.</p>` : html`<ul class="plain budget">${kinds.map((k) => html`
      <li class=${classes(k.left === 0 && "spent")}><p><b>${title(k.kind)}</b><span>${count(k.left)} of ${count(k.limit)} left</span></p>
        <span class="bar loss" aria-hidden="true"><i style=${{ width: `${Math.min(100, (k.spent / k.limit) * 100)}%` }}></i></span></li>`)}</ul>`}</section>`;
}

/** What it waits for besides the judge: a freeze, a checklist, hooks, and other rollouts. */
export function Gates({ view, who, took }) {
  const { gates = {} } = view, [failure, setFailure] = useState(""), [sent, setSent] = useState({});
  const list = gates.checklist ?? [], hooks = gates.hooks ?? [], after = view.after ?? [], members = view.release?.members ?? [];
  if (!gates.frozen && list.length + hooks.length + after.length + members.length === 0) return null;
  async function tick(item) {
    setFailure("");
    setSent((all) => ({ ...all, [item.item]: !item.done }));
    try {
      took(await order(`/api/v1/rollouts/${encodeURIComponent(view.service)}/tick`, { item: item.item, untick: item.done }));
    } catch (problem) {
      setFailure(problem.message);
    }
    setSent(({ [item.item]: _, ...rest }) => rest);
  }
  return html`<section class="card" aria-labelledby="gates-title"><h2 id="gates-title">Gates</h2>
    ${gates.frozen && html`<p class="banner warn"><${Icon} name="lock" /><span><b>Changes are frozen.</b> ${gates.frozen}</span></p>`}
    ${list.length > 0 && html`<h3>Checklist</h3><ul class="plain">${list.map((item) => html`<li><label class="tick">
      <input type="checkbox" checked=${sent[item.item] ?? item.done} disabled=${!who.changes || !view.possible.includes("tick")} onChange=${() => tick(item)} />
      <span>${item.item} ${item.done && html`<small class="faint">${item.actor}, ${clock(item.at)}</small>`}</span></label></li>`)}</ul>`}
    ${hooks.length > 0 && html`<h3>Hooks</h3><ul class="plain">${hooks.map((h) => html`<li><b>${h.name}</b> <span class="faint">${words(h.point)}</span>
      <${Badge} ...${answers[h.answer ?? ""] ?? answers[""]} /> ${h.text}</li>`)}</ul>`}
    ${after.length > 0 && html`<h3>Comes after</h3><ul class="plain">${after.map((r) => html`<${Other} r=${r} />`)}</ul>`}
    ${members.length > 0 && html`<h3>Released together</h3><ul class="plain">${members.map((r) => html`<${Other} r=${r} />`)}</ul>`}
    ${failure && html`<p class="failure" role="alert">${failure}</p>`}</section>`;
}

const answers = {
  yes: { tone: "good", icon: "check", text: "Yes" }, refused: { tone: "bad", icon: "cross", text: "Refused" },
  silent: { tone: "warn", icon: "dots", text: "Silent" }, "": { tone: "quiet", icon: "clock", text: "Asked" },
};

const Other = ({ r }) => html`<li><a href=${`#/service/${encodeURIComponent(r.service)}`}>${r.service}</a> <span class="faint">${words(r.phase)}, step ${Math.min(r.step + 1, r.steps)} of ${r.steps}</span> ${r.text}</li>`;

/** Parts of the service that are judged apart. */
export function Parts({ view }) {
  const parts = view.parts ?? [];
  if (parts.length === 0) return null;
  return html`<section class="card" aria-labelledby="parts-title"><h2 id="parts-title">Parts</h2><ul class="plain">${parts.map((p) => html`<li>
    <b>${p.name}</b> <span class="faint">${p.template || p.segment}</span>
    ${p.rolled_back ? html`<${Badge} tone="bad" icon="undo" text="Rolled back" /> ${p.numbers}` : html`<${Badge} tone="info" icon="play" text="On the canary" />`}</li>`)}</ul></section>`;
}
