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

/** Why it is where it is, in a few words; empty when it goes on by itself. */
export function whyItWaits(view) {
  if (view.pause) return `Paused: ${words(view.pause)}`;
  if (view.hold) return `Held: ${words(view.hold)}`;
  return "";
}

/** What is said when the phase has changed, to those who do not see the page. */
export const announcement = (view) => `${view.service}: ${words(view.phase)}. ${whatIsOut(view)}${running(view) ? ` Next: ${view.next}.` : ""}`;
