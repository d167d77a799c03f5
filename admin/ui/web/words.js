// Sentences about a rollout that the page says first: what is out, to whom, and what happens next. Pure functions.
import { words } from "./format.js";
import { running } from "./standing.js";

/** What is out and to whom, in one line. */
export function whatIsOut(view) {
  if (view.override) return `All traffic goes to ${view.override} by order.`;
  switch (view.phase) {
    case "pending": return `${view.canary} is not out yet. Everybody is on ${view.stable}.`;
    case "promoted": return `${view.canary} is out to everybody.`;
    case "rolled_back": return `${view.canary} was taken back. Everybody is on ${view.stable}.`;
    case "superseded": return `This rollout was replaced. Everybody is on ${view.stable}.`;
  }
  const group = [view.segment && `segment ${view.segment}`, view.opt_in && `those who opted in to ${view.opt_in}`].filter(Boolean).join(" and ");
  const most = view.strength && view.strength !== "100%" ? `${view.strength} of ` : "";
  if (group && Number.parseFloat(view.weight) === 0) return `${view.canary} is out to ${most}${group}.`;
  return `${view.canary} is out to ${view.weight} of traffic${group ? ` and ${most}${group}` : ""}.`;
}

const pauses = {
  gate: "Waits for an approval", undecided: "Undecided for too long", operator: "Paused by a person", failed: "A check failed: a person decides",
  exposed: "As many users as the budget allows", release: "Another service of the release is paused",
};
const holds = {
  override: "Held by an override", stable_sick: "Held: stable fails itself", no_traffic: "Held: no canary traffic", split_mismatch: "Held: the split is not the weight",
  no_data: "Held: nothing to compare", store: "Held: it cannot be stored", check: "Held by a check", dependency: "Held: others come first", release: "Held with its release",
  freeze: "Held by a freeze", window: "Held until the next window", hook: "Held by a hook",
};

/** Why it is where it is, in a few words; empty when it goes on by itself. */
export function whyItWaits(view) {
  if (view.pause) return pauses[view.pause] ?? `Paused: ${words(view.pause)}`;
  if (view.hold) return holds[view.hold] ?? `Held: ${words(view.hold)}`;
  return "";
}

/** What is missing, without what the reason says already. */
export const missing = (view) => (view.waiting_for ?? []).filter((text) => !view.reason || !text.includes(view.reason));

/** What is said when the phase has changed, to those who do not see the page. */
export const announcement = (view) => `${view.service}: ${words(view.phase)}. ${whatIsOut(view)}${running(view) ? ` Next: ${view.next}.` : ""}`;
