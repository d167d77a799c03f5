// One service, as the stream tells it: its rollout, what happened, and the latest seconds.

const most = 600;

/** Where the columns of a row are. */
export const column = { at: 0, weight: 1, stable: { rate: 2, failed: 3, p50: 4, p99: 5 }, canary: { rate: 6, failed: 7, p50: 8, p99: 9 } };

/** The state of a page about a service. */
export const nothing = { known: false, service: null, view: null, rows: [], events: [], config: null, version: "" };

/** The state after one more message of the stream. The state before stays as it was. */
export function take(before, kind, data) {
  switch (kind) {
    case "state":
      return {
        known: true, service: data.service, view: whole(data.view), config: data.config, version: data.version,
        rows: sameVariants(before.view, data.view) ? joined(before.rows, data.rows) : data.rows, events: data.view?.history ?? [],
      };
    case "view":
      return { ...before, view: whole(data) };
    case "row":
      return { ...before, rows: joined(before.rows, [data]) };
    case "event":
      return before.events.some((e) => e.sequence === data.sequence && e.rollout === data.rollout) ? before : { ...before, events: eventsAfter(before.events, data) };
    case "config":
      return { ...before, config: data };
  }
  return before;
}

// What was drawn of one variant is not the other one's.
const sameVariants = (before, view) => !before || (before.stable === view?.stable && before.canary === view?.canary);

// A rollout that has not begun has no list where others have an empty one.
function whole(view) {
  return view && {
    ...view, verdict: { ...view.verdict, checks: view.verdict?.checks ?? [] }, notes: view.notes ?? [], possible: view.possible ?? [],
    waiting_for: view.waiting_for ?? [],
  };
}

// A new rollout, or a new attempt, begins its events anew.
function eventsAfter(events, e) {
  return e.sequence === 1 ? [e] : [...events, e];
}

/** What is remembered of both, the later one counting where they overlap: after a restart Haldane remembers less than the page. */
export function joined(before, fresh) {
  if (fresh.length === 0) return before;
  const begin = fresh[0][column.at];
  return [...before.filter((row) => row[column.at] < begin), ...fresh].slice(-most);
}

/** The last row; zeros without one. */
export const latest = (rows) => rows.at(-1) ?? [0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/**
 * Columns for a chart, with a gap (null) where seconds are missing.
 * @param {number[][]} rows
 * @param {((row: number[]) => number|null)[]} pick
 */
export function columns(rows, pick) {
  const out = [[], ...pick.map(() => [])];
  let before = 0;
  for (const row of rows) {
    const at = row[column.at];
    if (at <= before) continue;
    if (before && at - before > 3) {
      out[0].push(before + 1);
      for (let i = 1; i < out.length; i++) out[i].push(null);
    }
    out[0].push(at);
    pick.forEach((f, i) => out[i + 1].push(f(row)));
    before = at;
  }
  return out;
}
