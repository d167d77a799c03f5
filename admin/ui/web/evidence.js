// What is drawn of a check: pure arithmetic on the numbers of the judge. Nothing is decided here; the judge has decided.

const z = 1.959964; // of a 95 % interval

/** The 95 % interval of a share (E. B. Wilson, 1927). */
export function wilson(bad, total) {
  if (!(total > 0)) return [0, 1];
  const p = bad / total, n = total, middle = p + (z * z) / (2 * n);
  const half = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n)), scale = 1 + (z * z) / n;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

/**
 * The 95 % interval of the difference of two shares, from the interval of each (R. G. Newcombe 1998, method 10).
 * @returns {[number, number]}
 */
export function difference(p1, [low1, high1], p2, [low2, high2]) {
  const d = p1 - p2;
  return [d - Math.hypot(p1 - low1, high2 - p2), d + Math.hypot(high1 - p1, p2 - low2)];
}

/**
 * How a check is drawn: on an axis of the difference to stable, or of the canary alone where there is no stable in it.
 * @returns {{low: number, high: number, at: number, bound: number, zero: number|null, falls: boolean, domain: [number, number]}|null}
 *   null when there is nothing to draw.
 */
export function interval(check) {
  if (check.threshold || !(check.canary_total > 0)) return null;
  const own = [check.canary_low, check.canary_high];
  let low, high, at, bound, zero = null;
  if (check.alone) {
    [low, high] = own;
    at = check.canary_rate;
    bound = check.allowed;
  } else if (check.mean) {
    [low, high] = own.map((v) => v - check.stable_rate);
    at = check.canary_rate - check.stable_rate;
    bound = check.allowed - check.stable_rate;
    zero = 0;
  } else {
    const [sl, sh] = wilson(check.stable_rate * check.stable_total, check.stable_total);
    [low, high] = difference(check.canary_rate, own, check.stable_rate, [sl, sh]);
    at = check.canary_rate - check.stable_rate;
    bound = check.allowed - check.stable_rate;
    zero = 0;
  }
  if (!(high >= low)) [low, high] = [at, at];
  const all = [low, high, at, bound, zero ?? 0], from = Math.min(...all), to = Math.max(...all);
  const pad = (to - from || 0.01) * 0.12;
  return { low, high, at, bound, zero, falls: Boolean(check.falls), domain: [zero === null && from >= 0 ? Math.max(0, from - pad) : from - pad, to + pad] };
}

/** Where a value lies on a domain, from 0 to 100. */
export const place = (value, [from, to]) => Math.max(0, Math.min(100, ((value - from) / (to - from || 1)) * 100));

/** How far evidence of 1 in N has come towards what is needed, from 0 to 1: on the scale on which evidence adds up. */
export function progress(evidence, needed) {
  if (!(evidence > 1) || !(needed > 1)) return 0;
  return Math.min(1, Math.log(evidence) / Math.log(needed));
}
