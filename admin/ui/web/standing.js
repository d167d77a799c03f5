// What stands out about a rollout: its tone, its order in the overview, its filter. Pure functions.

/** The filters of the overview, by name. */
export const filters = [
  ["all", "All", () => true],
  ["attention", "Needs attention", (s) => rank(s) <= 2],
  ["running", "Rolling out", (s) => running(s.rollout)],
  ["rolled_back", "Rolled back", (s) => s.rollout?.phase === "rolled_back"],
  ["idle", "Idle", (s) => !s.rollout || ["promoted", "superseded", "none"].includes(s.rollout.phase)],
];

/** Whether users are on a canary. */
export const running = (r) => ["progressing", "paused", "baking"].includes(r?.phase);

/** The order of a service in the overview: what needs somebody first. */
export function rank(service) {
  const r = service.rollout;
  if (!r) return 8;
  if (r.needs_person) return 0;
  if (running(r) && r.class === "fail") return 0;
  if (r.phase === "rolled_back") return 1;
  if (r.hold || r.override) return 2;
  if (running(r)) return 3;
  if (r.phase === "pending") return 4;
  return 6;
}

/** Sorts what needs somebody to the top; equals by name. */
export const byAttention = (a, b) => rank(a) - rank(b) || a.service.localeCompare(b.service);

/** Whether a service is meant by what somebody has typed: every word is somewhere. */
export function matches(service, text) {
  const all = [service.service, service.stable, service.canary, ...(service.match ?? []), service.rollout?.policy, service.rollout?.phase, service.rollout?.canary]
    .join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

/** Tone, icon and words of where a rollout is. A tone is never shown without icon and words. */
export function phaseOf(r) {
  if (!r) return { tone: "quiet", icon: "dash", text: "No rollout" };
  if (r.override) return { tone: "warn", icon: "hand", text: "Override" };
  switch (r.phase) {
    case "pending": return { tone: r.needs_person ? "warn" : "quiet", icon: "clock", text: r.needs_person ? "Waits for start" : "Pending" };
    case "progressing": return r.hold ? { tone: "warn", icon: "pause", text: "Held" } : { tone: "info", icon: "play", text: "Rolling out" };
    case "baking": return r.hold ? { tone: "warn", icon: "pause", text: "Bake held" } : { tone: "info", icon: "play", text: "Baking" };
    case "paused": return { tone: "warn", icon: r.pause === "gate" ? "hand" : "pause", text: r.pause === "gate" ? "Needs approval" : "Paused" };
    case "promoted": return { tone: "good", icon: "check", text: "Promoted" };
    case "rolled_back": return { tone: "bad", icon: "undo", text: "Rolled back" };
    default: return { tone: "quiet", icon: "dash", text: "Superseded" };
  }
}

/** Tone, icon and words of a verdict. */
export function verdictOf(kind) {
  switch (kind) {
    case "pass": return { tone: "good", icon: "check", text: "Pass" };
    case "fail": return { tone: "bad", icon: "cross", text: "Fail" };
    case "marginal": return { tone: "quiet", icon: "wave", text: "Undecided" };
    default: return { tone: "quiet", icon: "dots", text: "No data" };
  }
}

/**
 * The stages of a rollout with what has become of each: "done", "now", "stopped" or "next".
 * @returns {{name: string, weight: string, state: string, bake: boolean, approval: boolean}[]}
 */
export function timeline(view) {
  const stages = view.stages ?? [], baking = view.phase === "baking" || (view.phase === "paused" && view.stage?.name === "bake");
  const at = baking ? stages.findIndex((s) => s.bake) : view.step;
  const begun = Boolean(view.started);
  return stages.map((stage, i) => {
    let state = "next";
    if (view.phase === "promoted") state = "done";
    else if (running(view)) state = i < at ? "done" : i === at ? "now" : "next";
    else if (view.phase === "rolled_back" && begun) state = i < at ? "done" : i === at ? "stopped" : "next";
    return { ...stage, state };
  });
}
