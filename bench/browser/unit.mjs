// What the pages compute.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { distances } from "./colour.mjs";
import * as evidence from "../../admin/ui/web/evidence.js";
import * as format from "../../admin/ui/web/format.js";
import { newFleet } from "../../admin/ui/web/fleet.js";
import { columns, joined, nothing, take } from "../../admin/ui/web/release.js";
import { byAttention, matches, rank, timeline } from "../../admin/ui/web/standing.js";
import { whatIsOut } from "../../admin/ui/web/words.js";

test("numbers are short and honest", () => {
  const table = [
    [format.seconds("1m30s"), 90], [format.seconds("250ms"), 0.25], [format.seconds("1d12h"), 129600], [format.seconds(""), 0],
    [format.duration(0), "0 s"], [format.duration(0.25), "250 ms"], [format.duration(90), "1 min 30 s"], [format.duration(3600), "1 h"], [format.duration(93600), "1 d 2 h"],
    [format.percent(0), "0 %"], [format.percent(0.125), "12.5 %"], [format.percent(0.00001), "< 0.01 %"], [format.percent(1), "100 %"], [format.percent(NaN), "–"],
    [format.points(0.005), "+0.5 pt"], [format.points(-0.12), "−12 pt"], [format.points(1e-9), "0 pt"],
    [format.count(1234), "1,234"], [format.count(2.5e6), "2.5 M"], [format.rate(0.44), "0.4"], [format.rate(1204.4), "1,204"],
    [format.latency(380), "380 µs"], [format.latency(4200), "4.2 ms"], [format.latency(1.34e6), "1.3 s"], [format.latency(0), "–"],
    [format.odds(1), "none"], [format.odds(1.4), "1 in 1.4"], [format.odds(1500), "1 in 1,500"], [format.odds(1e15), "over 1 in a million"],
    [format.share("12.5%"), 0.125], [format.title("rolled_back"), "Rolled back"],
    [format.ago(1000, 1000), "just now"], [format.ago(0, 65_000), "1 min ago"], [format.ago(90_000, 0), "in 1 min"],
  ];
  for (const [got, want] of table) assert.equal(got, want);
});

test("intervals", () => {
  // E. B. Wilson's interval for 0 of 181, as the judge has it.
  const [low, high] = evidence.wilson(0, 181);
  assert.ok(low === 0 && Math.abs(high - 0.0207825) < 1e-6, `${high}`);
  // Newcombe 1998, table II, (a) 56/70 - 48/80, method 10: 0.0524 to 0.3339.
  const d = evidence.difference(56 / 70, evidence.wilson(56, 70), 48 / 80, evidence.wilson(48, 80));
  assert.ok(Math.abs(d[0] - 0.0524) < 1e-4 && Math.abs(d[1] - 0.3339) < 1e-4, `${d}`);
  const check = { canary_total: 181, canary_bad: 0, canary_rate: 0, canary_low: 0, canary_high: high, stable_rate: 0, stable_total: 3313, allowed: 0.005 };
  const drawn = evidence.interval(check);
  assert.equal(drawn.bound, 0.005);
  assert.ok(drawn.low <= 0 && drawn.high > 0.02 && drawn.domain[0] < drawn.low && drawn.domain[1] > drawn.high);
  assert.equal(evidence.interval({ ...check, canary_total: 0 }), null);
  assert.equal(evidence.interval({ ...check, threshold: true }), null);
  assert.equal(evidence.interval({ ...check, alone: true }).zero, null);
  assert.equal(evidence.place(5, [0, 10]), 50);
});

test("evidence adds up on a logarithmic scale", () => {
  assert.equal(evidence.progress(1, 200), 0);
  assert.ok(Math.abs(evidence.progress(Math.sqrt(200), 200) - 0.5) < 1e-9);
  assert.equal(evidence.progress(1e15, 200), 1);
});

test("what needs somebody is on top", () => {
  const of = (service, rollout) => ({ service, stable: "v1", match: [`${service}.example`], rollout });
  const list = [
    of("z"), of("done", { phase: "promoted" }), of("runs", { phase: "progressing" }), of("held", { phase: "progressing", hold: "stable_sick" }),
    of("back", { phase: "rolled_back" }), of("gate", { phase: "paused", needs_person: true }), of("a"), of("bad", { phase: "progressing", class: "fail" }),
  ];
  assert.deepEqual(list.sort(byAttention).map((s) => s.service), ["bad", "gate", "back", "held", "runs", "done", "a", "z"]);
  assert.equal(rank(of("x")), 8);
  assert.ok(matches(list[0], "BAD v1") && !matches(list[0], "bad v2"));
});

test("the timeline", () => {
  const stages = [{ name: "5%" }, { name: "50%" }, { name: "bake", bake: true }], states = (view) => timeline({ stages, started: "x", ...view }).map((s) => s.state);
  assert.deepEqual(states({ phase: "pending", step: 0 }), ["next", "next", "next"]);
  assert.deepEqual(states({ phase: "progressing", step: 1 }), ["done", "now", "next"]);
  assert.deepEqual(states({ phase: "baking", step: 1 }), ["done", "done", "now"]);
  assert.deepEqual(states({ phase: "rolled_back", step: 1 }), ["done", "stopped", "next"]);
  assert.deepEqual(states({ phase: "promoted", step: 1 }), ["done", "done", "done"]);
});

test("a page outlives a restart and a gap", () => {
  const row = (at) => [at, 0, 1, 0, 0, 0, 0, 0, 0, 0];
  let state = take(nothing, "state", { version: "1", config: { ok: true }, service: {}, view: { history: [{ sequence: 1, rollout: "a" }] }, rows: [row(1), row(2)] });
  state = take(state, "row", row(3));
  state = take(state, "event", { sequence: 2, rollout: "a" });
  state = take(state, "event", { sequence: 2, rollout: "a" });
  assert.deepEqual(state.events.map((e) => e.sequence), [1, 2]);
  state = take(state, "state", { view: null, rows: [row(9)] });
  assert.deepEqual(state.rows.map((r) => r[0]), [1, 2, 3, 9]);
  assert.deepEqual(columns(state.rows, [(r) => r[2]]), [[1, 2, 3, 4, 9], [1, 1, 1, null, 1]]);
  assert.equal(joined(Array.from({ length: 600 }, (_, i) => row(i)), [row(600)]).length, 600);
});

test("what was drawn of one variant is not another one's", () => {
  const row = (at) => [at, 0, 1, 0, 0, 0, 0, 0, 0, 0], view = { stable: "v1", canary: "v2" };
  const before = take(nothing, "state", { view, rows: [row(1), row(2)] });
  const rows = (fresh) => take(before, "state", { view: fresh, rows: [row(3)] }).rows.map((r) => r[0]);
  assert.deepEqual(rows(view), [1, 2, 3]);
  assert.deepEqual(rows({ stable: "v2", canary: "v3" }), [3]);
  assert.deepEqual(rows(null), [3]);
});

test("only rows that have changed are told", () => {
  const fleet = newFleet(), told = [];
  fleet.take("state", { unlisted: 0, services: [{ service: "a", spark: [] }, { service: "b", spark: null }] });
  for (const name of ["", "a", "b"]) fleet.on(name, () => told.push(name));
  fleet.take("tick", { at: 1, rates: { a: [5, 0, 0, 0] }, rollouts: [] });
  assert.deepEqual(told, ["a"]);
  fleet.take("tick", { at: 2, rates: {}, rollouts: [{ service: "b", phase: "promoted" }] });
  assert.deepEqual(told, ["a", "a", "b", ""]);
  assert.deepEqual(fleet.services.get("a").spark, [[5, 0, 0, 0], [0, 0, 0, 0]]);
});

test("the colours of the variants stay apart for every vision", async () => {
  const css = await readFile(new URL("../../admin/ui/web/base.css", import.meta.url), "utf8");
  const pairs = [...css.matchAll(/--stable: (#\w{6}); --canary: (#\w{6});/g)];
  assert.equal(pairs.length, 3); // light, and the dark that was chosen or is the system's
  for (const [, stable, canary] of pairs) {
    for (const [vision, apart] of Object.entries(distances(stable, canary))) assert.ok(apart > 60, `${stable} and ${canary}, ${vision}: ${apart}`);
  }
  assert.ok(distances("#ff0000", "#00a000").deuteranopia < 20, "red and green are not apart for all");
});

test("who is exposed, in words", () => {
  const view = { stable: "v1", canary: "v2", weight: "5%", phase: "progressing" };
  assert.equal(whatIsOut(view), "v2 is out to 5% of traffic.");
  assert.equal(whatIsOut({ ...view, weight: "0%", segment: "staff", strength: "100%" }), "v2 is out to segment staff.");
  assert.equal(whatIsOut({ ...view, phase: "rolled_back" }), "v2 was taken back. Everybody is on v1.");
  assert.equal(whatIsOut({ ...view, override: "v1" }), "All traffic goes to v1 by order.");
});
