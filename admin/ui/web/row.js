// One service in the overview.
import { rate, percent, share } from "./format.js";
import { html, useEffect, useRef, useState } from "./html.js";
import { Badge, Icon } from "./icons.js";
import { Spark } from "./spark.js";
import { phaseOf, running, verdictOf } from "./standing.js";

// Rows that nobody sees are not drawn anew each second.
const seen = new Map();
const watcher = new IntersectionObserver((entries) => entries.forEach((e) => seen.get(e.target)?.(e.isIntersecting)), { rootMargin: "100px" });

/** A row, which is a link to the page of its service. */
export function Row({ fleet, name }) {
  const [, redraw] = useState(0), box = useRef(), visible = useRef(false);
  useEffect(() => {
    const element = box.current;
    seen.set(element, (is) => {
      const before = visible.current;
      visible.current = is;
      if (is && !before) redraw((n) => n + 1);
    });
    watcher.observe(element);
    const off = fleet.on(name, () => visible.current && redraw((n) => n + 1));
    return () => {
      off();
      watcher.unobserve(element);
      seen.delete(element);
    };
  }, [fleet, name]);
  const s = fleet.services.get(name);
  return html`<li ref=${box}>${s && html`<${Content} s=${s} seen=${visible.current} />`}</li>`;
}

function Content({ s, seen }) {
  const r = s.rollout, phase = phaseOf(r), [sr, sf, cr, cf] = s.spark?.at(-1) ?? [0, 0, 0, 0], verdict = verdictOf(r?.class);
  const active = running(r), all = sr + cr, failing = all > 0 ? (sf + cf) / all : 0;
  return html`<a class=${`row ${phase.tone}`} href=${`#/service/${encodeURIComponent(s.service)}`}>
    <span class="name"><b>${s.service}</b><small>${r ? html`${r.stable}<${Icon} name="arrow" />${r.canary}` : s.stable}</small></span>
    <span class="phase"><${Badge} ...${phase} /><small>${under(r)}</small></span>
    <span class="out">${active || r?.phase === "promoted" ? html`<${WeightBar} weight=${r.weight} /><small>${r.weight} ${active ? "canary" : "of traffic"}</small>` : html`<small class="faint">–</small>`}</span>
    <span class="verdict">${active ? html`<${Badge} ...${verdict} /><small>score ${r.score}</small>` : html`<small class="faint">–</small>`}</span>
    <span class="traffic"><${Spark} seen=${seen} points=${s.spark} label=${`requests of the last minute, now ${rate(all)} a second`} />
      <small><b>${rate(all)}</b>/s ${failing > 0 && html`<em>${percent(failing, 2)} fail</em>`}</small></span>
  </a>`;
}

// What stands below the phase: the step while it runs, why when it does not.
function under(r) {
  if (!r) return "";
  if (running(r)) return r.phase === "baking" ? `bake · then promoted` : `step ${Math.min(r.step + 1, r.steps)} of ${r.steps}`;
  if (r.phase === "rolled_back") return r.reason;
  return r.policy;
}

/** A bar of the canary's share. */
export const WeightBar = ({ weight }) => html`<span class="bar" aria-hidden="true"><i style=${{ width: `${Math.max(share(weight) * 100, share(weight) > 0 ? 2 : 0)}%` }}></i></span>`;
