// A sparkline on a canvas: the line is all requests, what failed stands on the ground below it.
import { html, useEffect, useRef } from "./html.js";

const width = 110, height = 30, ratio = 2, slots = 60;

/**
 * @param {{points: number[][]|null, label: string, seen: boolean}} props points are requests and failures of stable and canary; what nobody
 *   sees is not drawn
 */
export function Spark({ points, label, seen }) {
  const canvas = useRef();
  useEffect(() => { if (seen && points && canvas.current) draw(canvas.current, points); });
  if (!points) return html`<span class="faint">not measured</span>`;
  return html`<canvas class="spark" ref=${canvas} role="img" aria-label=${label} width=${width * ratio} height=${height * ratio}></canvas>`;
}

// The colours of the theme. To ask for them each time would make the browser lay the page out each time.
let colours = null;
const forget = () => { colours = null; };
addEventListener("themechange", forget);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);

function inks() {
  if (!colours) {
    const style = getComputedStyle(document.documentElement);
    colours = { line: style.getPropertyValue("--stable"), bad: style.getPropertyValue("--bad") };
  }
  return colours;
}

function draw(canvas, points) {
  const ctx = canvas.getContext("2d"), { line, bad } = inks();
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  const all = points.map((p) => p[0] + p[2]), failed = points.map((p) => p[1] + p[3]);
  const top = Math.max(1, ...all), step = width / (slots - 1), begin = slots - points.length;
  const x = (i) => (begin + i) * step, y = (v) => height - 1.5 - (v / top) * (height - 4);
  ctx.beginPath();
  all.forEach((v, i) => (i ? ctx.lineTo(x(i), y(v)) : ctx.moveTo(x(i), y(v))));
  ctx.strokeStyle = line;
  ctx.lineWidth = 1.5;
  ctx.lineJoin = "round";
  ctx.stroke();
  ctx.lineTo(x(points.length - 1), height);
  ctx.lineTo(x(0), height);
  ctx.globalAlpha = 0.1;
  ctx.fillStyle = line;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.fillStyle = bad;
  failed.forEach((v, i) => { if (v > 0) ctx.fillRect(x(i) - step / 2, Math.min(height - 2, y(v)), Math.max(1.5, step - 0.5), height); });
}
