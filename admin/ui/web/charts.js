// The charts of both variants side by side, with uPlot.
import { latency, percent, rate } from "./format.js";
import { html, useEffect, useLayoutEffect, useRef } from "./html.js";
import { column, columns, latest } from "./release.js";

const { stable, canary } = column;
const ratio = (row, side) => (row[side.rate] > 0 ? row[side.failed] / row[side.rate] : null);
const positive = (v) => (v > 0 ? v : null);

const charts = [
  { name: "Requests", unit: "per second", text: (v) => rate(v), lines: [["stable", (r) => r[stable.rate]], ["canary", (r) => r[canary.rate]]] },
  { name: "Failed", unit: "share of requests", text: (v) => percent(v, 2), least: 0.01, lines: [["stable", (r) => ratio(r, stable)], ["canary", (r) => ratio(r, canary)]] },
  {
    name: "Latency", unit: "p99 solid, p50 dashed", text: latency,
    lines: [["stable", (r) => positive(r[stable.p99]), "p99"], ["canary", (r) => positive(r[canary.p99]), "p99"], ["stable", (r) => positive(r[stable.p50]), "p50"], ["canary", (r) => positive(r[canary.p50]), "p50"]],
  },
  { name: "Weight", unit: "canary’s share", text: (v) => percent(v, 3), stepped: true, most: 1, lines: [["canary", (r) => r[column.weight]]] },
];

/** All charts of a service. */
export function Charts({ release }) {
  const { rows, view, service } = release, names = { stable: view?.stable ?? service?.stable ?? "stable", canary: view?.canary ?? "canary" };
  return html`<section class="charts" aria-labelledby="charts-title"><h2 id="charts-title" class="unseen">Traffic of the last ten minutes</h2>${charts.filter((c) => view || c.name !== "Weight").map((chart) => html`
    <${Chart} key=${chart.name} chart=${view ? chart : { ...chart, lines: chart.lines.filter(([side]) => side === "stable") }} rows=${rows} names=${names} />`)}</section>`;
}

function Chart({ chart, rows, names }) {
  const box = useRef(), plot = useRef(null), data = useRef();
  data.current = columns(rows, chart.lines.map(([, pick]) => pick));
  useLayoutEffect(() => { // what it begins ends at once with the page
    const make = () => {
      plot.current?.destroy();
      plot.current = new window.uPlot(options(chart, box.current), data.current, box.current);
    };
    make();
    const resize = new ResizeObserver(() => box.current && plot.current.setSize(size(box.current)));
    resize.observe(box.current);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", make);
    addEventListener("themechange", make);
    return () => {
      resize.disconnect();
      scheme.removeEventListener("change", make);
      removeEventListener("themechange", make);
      plot.current.destroy();
      plot.current = null;
    };
  }, [chart.name, chart.lines.length]);
  useEffect(() => { plot.current?.setData(data.current); }, [rows]);
  const row = latest(rows), said = chart.lines.map(([side, pick, label = ""]) => `${names[side]} ${label} ${chart.text(pick(row) ?? NaN)}`).join(", ");
  return html`<figure class="card chart"><figcaption><h3>${chart.name}</h3><small class="faint">${chart.unit}</small>
      <span class="values">${chart.lines.slice(0, 2).map(([side, pick]) => html`<span><span class=${`swatch ${side}`}></span><span class="faint">${names[side]}</span> <b>${chart.text(pick(row) ?? NaN)}</b></span>`)}</span></figcaption>
    <div class="plot" ref=${box} role="img" aria-label=${`${chart.name} ${chart.unit}: ${said}`}></div></figure>`;
}

const size = (box) => ({ width: Math.max(120, box.clientWidth), height: 150 });

function options(chart, box) {
  const style = getComputedStyle(box), colour = (name) => style.getPropertyValue(name).trim(), uPlot = window.uPlot;
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: `11px ${style.fontFamily}`, size: 24, space: 70 };
  return {
    ...size(box),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 5 } },
    padding: [6, 30, 0, 0], // to the right, half a time of day
    scales: { x: { time: true }, y: { range: (_, min, max) => [0, chart.most ?? Math.max((max || 0) * 1.12, chart.least ?? 1)] } },
    axes: [{ ...axis, incrs: [1, 5, 10, 15, 30, 60, 120, 300, 600], values: (_, ticks) => ticks.map((t) => new Date(t * 1000).toLocaleTimeString("en-GB").slice(0, t % 60 ? 8 : 5)) },
      { ...axis, size: 58, space: 36, values: (_, ticks) => ticks.map((v) => (v === 0 ? "0" : chart.text(v))) }],
    series: [{}, ...chart.lines.map(([side, , label]) => ({
      stroke: colour(`--${side}`), width: side === "canary" ? 2 : 1.5, dash: label === "p50" ? [4, 4] : undefined, points: { show: false },
      paths: chart.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined, fill: chart.stepped ? `${colour(`--${side}`)}22` : undefined,
    }))],
    hooks: { setCursor: [(u) => tip(u, chart, box)] },
  };
}

// What the cursor points at, in words below it.
function tip(u, chart, box) {
  let note = box.querySelector(".tip");
  if (!note) {
    note = document.createElement("p");
    note.className = "tip";
    box.append(note);
  }
  const i = u.cursor.idx;
  note.hidden = i == null || u.cursor.left < 0;
  if (note.hidden) return;
  const values = chart.lines.map(([side, , label = ""], n) => `${side} ${label} ${chart.text(u.data[n + 1][i] ?? NaN)}`.replace("  ", " "));
  note.textContent = `${new Date(u.data[0][i] * 1000).toLocaleTimeString("en-GB")}  ${values.join("  ·  ")}`;
}
