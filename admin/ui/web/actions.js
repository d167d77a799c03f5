// The orders that a rollout takes: which there are, how they are called, and the dialog that asks before one is given.
import { order } from "./api.js";
import { Dialog, Field } from "./dialog.js";
import { html, useState } from "./html.js";

/** What a button says, by the name of the order. The text says what follows. */
export function orders(view) {
  const { canary, stable } = view, gate = view.pause === "gate";
  return {
    start: { label: "Start", icon: "play", text: `${canary} gets its first users: ${view.stages?.[0]?.name ?? "the first step"}.` },
    promote: gate
      ? { label: "Approve", icon: "check", text: `The gate opens. Next: ${view.next}.` }
      : { label: "Next step", icon: "arrow", text: `The rest of this step is skipped. Next: ${view.next}.` },
    promote_full: { label: "Promote fully", icon: "fast", path: "promote", body: { full: true }, text: `${canary} takes all traffic now; the remaining steps are skipped.` },
    pause: { label: "Pause", icon: "pause", text: `The clock stops; ${canary} keeps ${view.weight}. The judge goes on watching, and rolls back if it must.` },
    resume: { label: "Resume", icon: "play", text: "The clock of the step goes on." },
    abort: { label: "Roll back", icon: "undo", danger: true, text: `${stable} takes all traffic at once. Not one more request goes to ${canary}.` },
    retry: { label: "Retry", icon: "play", text: `${canary} is tried again from the first step.` },
    set_weight: { label: "Set weight", icon: "weight", path: "set-weight", text: `${canary} gets another share of traffic, and the rollout pauses.` },
    override: { label: "Override", icon: "hand", danger: true, text: "One variant takes all traffic, whatever the rollout says, until the override is cleared." },
    clear_override: { label: "Clear override", icon: "undo", path: "override", body: { clear: true }, text: "The rollout decides again who gets what." },
  };
}

/** The order in which buttons stand: what one most likely came for first. */
export const sequence = ["start", "resume", "promote", "retry", "clear_override", "pause", "set_weight", "promote_full", "override"];

/** Asks before an order is given, and gives it. */
export function Confirm({ view, name, service, close, done }) {
  const what = orders(view)[name];
  const [reason, setReason] = useState(""), [force, setForce] = useState(false);
  const [weight, setWeight] = useState(String(Number.parseFloat(view.weight))), [variant, setVariant] = useState(view.stable);
  const good = name !== "set_weight" || (/^\d+(\.\d+)?$/.test(weight) && Number(weight) <= 100);
  async function submit() {
    const body = { reason: reason.trim(), ...what.body };
    if (force) body.force = true;
    if (name === "set_weight") body.weight = `${weight}%`;
    if (name === "override") body.variant = variant;
    done(await order(`/api/v1/rollouts/${encodeURIComponent(view.service)}/${what.path ?? name}`, body));
  }
  return html`<${Dialog} title=${`${what.label}: ${view.service}`} action=${what.label} danger=${what.danger} submit=${submit} close=${close}
    ready=${good && (!force || reason.trim() !== "")}>
    ${(failure) => html`
      <p>${what.text}</p>
      ${name === "set_weight" && html`<${Weight} value=${weight} set=${setWeight} canary=${view.canary} />`}
      ${name === "override" && html`<${Field} label="All traffic to"><select value=${variant} onChange=${(e) => setVariant(e.target.value)}>
        ${variants(view, service).map((v) => html`<option value=${v}>${v}</option>`)}</select><//>`}
      <${Field} label=${force ? "Reason (needed)" : "Reason (optional)"} hint="It is kept in history and audit.">
        <input type="text" maxlength="500" value=${reason} onInput=${(e) => setReason(e.target.value)} autofocus=${name !== "set_weight"} /><//>
      ${(force || forcible(failure)) && html`<label class="tick"><input type="checkbox" checked=${force} onChange=${(e) => setForce(e.target.checked)} />
        Do it anyway; say why</label>`}`}
  <//>`;
}

// Whether the server would do it with a reason: in spite of a freeze, an open checklist or a cool-down.
const forcible = (failure) => failure?.status === 409 && (/:(frozen|checklist)$/.test(failure.type) || /force|cool/.test(failure.message));

const variants = (view, service) => (service ? service.variants.map((v) => v.name) : [view.stable, view.canary]);

function Weight({ value, set, canary }) {
  const input = (e) => set(e.target.value);
  return html`<${Field} label=${`Share of ${canary} in percent`}>
    <span class="weight"><input type="number" min="0" max="100" step="any" inputmode="decimal" value=${value} onInput=${input} autofocus />
    <input type="range" min="0" max="100" step="1" aria-label="The same as a slider" value=${value} onInput=${input} /></span><//>`;
}
