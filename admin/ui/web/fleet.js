// All services, as the stream tells them. Rows listen one by one, so that a second in which three services have changed draws three rows.

const points = 60;

/** A store of services. on(name, f) listens to one; on("", f) to which there are and in what state. */
export function newFleet() {
  const services = new Map(), listeners = new Map();
  let unlisted = 0;
  const tell = (name) => listeners.get(name)?.forEach((f) => f());

  function state(data) {
    services.clear();
    unlisted = data.unlisted;
    for (const s of data.services) services.set(s.service, { ...s, spark: s.spark && s.spark.slice(-points) });
    for (const name of services.keys()) tell(name);
    tell("");
  }

  function tick(data) {
    const quiet = [0, 0, 0, 0];
    for (const [name, s] of services) {
      if (!s.spark) continue;
      const now = data.rates[name] ?? quiet, before = s.spark.at(-1);
      if (now === quiet && s.still > points) continue; // nothing to move any more
      s.still = now === quiet ? (s.still ?? 0) + 1 : 0;
      s.spark.push(now);
      if (s.spark.length > points) s.spark.shift();
      if (now !== quiet || before !== quiet || s.still <= points) tell(name);
    }
    for (const r of data.rollouts) {
      const s = services.get(r.service);
      if (!s) continue;
      s.rollout = r;
      tell(r.service);
    }
    if (data.rollouts.length > 0) tell("");
  }

  return {
    services,
    get unlisted() { return unlisted; },
    take(kind, data) {
      if (kind === "state") state(data);
      if (kind === "tick") tick(data);
    },
    on(name, f) {
      if (!listeners.has(name)) listeners.set(name, new Set());
      listeners.get(name).add(f);
      return () => listeners.get(name).delete(f);
    },
  };
}
