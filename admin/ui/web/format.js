// Numbers, times and shares for people. Pure functions.

const units = { ns: 1e-9, us: 1e-6, "µs": 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** Seconds of a duration as the API writes it: "1m30s", "250ms", "1d". */
export function seconds(text) {
  let sum = 0;
  for (const [, number, unit] of String(text ?? "").matchAll(/([\d.]+)(ns|us|µs|ms|s|m|h|d|w)/g)) sum += Number(number) * units[unit];
  return sum;
}

/** A duration in seconds: "45 s", "3 min 20 s", "2 h 5 min". */
export function duration(s) {
  if (!(s > 0)) return "0 s";
  if (s < 1) return `${Math.round(s * 1000)} ms`;
  if (s < 10 && s % 1 >= 0.05) return `${s.toFixed(1)} s`;
  s = Math.round(s);
  const parts = [[Math.floor(s / 86400), "d"], [Math.floor(s / 3600) % 24, "h"], [Math.floor(s / 60) % 60, "min"], [s % 60, "s"]];
  const first = parts.findIndex(([n]) => n > 0);
  return parts.slice(first, first + 2).filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}`).join(" ");
}

/** The share of a weight as the API writes it: "12.5%" is 0.125. */
export const share = (weight) => (Number.parseFloat(weight) || 0) / 100;

/** A share for people: "0.2 %", "12.5 %", "< 0.01 %". */
export function percent(ratio, digits = 3) {
  const p = ratio * 100;
  if (!Number.isFinite(p)) return "–";
  if (p === 0) return "0 %";
  if (Math.abs(p) < 0.01) return p < 0 ? "> −0.01 %" : "< 0.01 %";
  return `${minus(trim(p.toPrecision(digits)))} %`;
}

/** A difference of shares in points: "+0.3 pt", "−12 pt", "0 pt". */
export function points(difference) {
  const p = difference * 100;
  if (!Number.isFinite(p)) return "–";
  if (Math.abs(p) < 0.005) return "0 pt";
  return `${p > 0 ? "+" : ""}${minus(trim(p.toPrecision(2)))} pt`;
}

/** A plain number: "7", "1,234", "2.5 k". */
export function count(n) {
  if (!Number.isFinite(n)) return "–";
  if (Math.abs(n) >= 1e6) return `${trim((n / 1e6).toPrecision(3))} M`;
  if (Math.abs(n) >= 1e5) return `${trim((n / 1e3).toPrecision(3))} k`;
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** Requests a second: "0", "0.4", "12", "1,204". */
export function rate(n) {
  if (!Number.isFinite(n)) return "–";
  return n > 0 && n < 10 ? trim(n.toFixed(1)) : count(n);
}

/** Microseconds for people: "380 µs", "4.2 ms", "1.3 s". */
export function latency(us) {
  if (!(us > 0)) return "–";
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${trim((us / 1000).toPrecision(us < 1e5 ? 2 : 3))} ms`;
  return `${trim((us / 1e6).toPrecision(2))} s`;
}

/** Evidence of 1 in N against chance. */
export const odds = (n) => (n <= 1.005 ? "none" : n >= 1e6 ? "over 1 in a million" : `1 in ${n < 10 ? trim(n.toFixed(1)) : count(n)}`);

/** How long ago a moment was, or how long until it. */
export function ago(moment, now = Date.now()) {
  const s = (now - new Date(moment).getTime()) / 1000;
  if (!Number.isFinite(s)) return "";
  if (Math.abs(s) < 1.5) return "just now";
  const text = duration(Math.abs(s) < 60 ? Math.floor(Math.abs(s)) : Math.floor(Math.abs(s) / 60) * 60);
  return s > 0 ? `${text} ago` : `in ${text}`;
}

/** The time of day of a moment, with the day when it is not today. */
export function clock(moment, now = new Date()) {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return "";
  const time = at.toLocaleTimeString("en-GB");
  return at.toDateString() === now.toDateString() ? time : `${at.toLocaleDateString("en-CA")} ${time}`;
}

/** A word of the API for people: "rolled_back" is "rolled back". */
export const words = (text) => String(text ?? "").replaceAll("_", " ");

/** The same with a capital. */
export const title = (text) => words(text).replace(/^./, (c) => c.toUpperCase());

const trim = (text) => {
  const plain = text.includes("e") ? String(Number(text)) : text;
  return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
};
const minus = (text) => text.replace("-", "−");
