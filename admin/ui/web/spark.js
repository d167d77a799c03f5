// A sparkline on a canvas: the line is all requests, what failed stands on the ground below it.
import { html, useEffect, useRef } from "./html.js";

/** @param {{points: number[][]|null, label: string}} props points are requests and failures of stable and canary */
export function Spark({ points, label }) {
  const canvas = useRef();
  const last = points?.at(-1);
  useEffect(() => { if (points && canvas.current) draw(canvas.current, points); });
  if (!points) return html`<span class="faint">not measured</span>`;
  return html`<canvas class="spark" ref=${canvas} role="img" aria-label=${label} data-last=${last?.join(" ")}></canvas>`;
}

const slots = 60;

function draw(canvas, points) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const style = getComputedStyle(canvas), ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  const all = points.map((p) => p[0] + p[2]), failed = points.map((p) => p[1] + p[3]);
  const top = Math.max(1, ...all), step = width / (slots - 1), begin = slots - points.length;
  const x = (i) => (begin + i) * step, y = (v) => height - 1.5 - (v / top) * (height - 4);
  ctx.beginPath();
  all.forEach((v, i) => (i ? ctx.lineTo(x(i), y(v)) : ctx.moveTo(x(i), y(v))));
  ctx.strokeStyle = style.color;
  ctx.lineWidth = 1.5;
  ctx.lineJoin = "round";
  ctx.stroke();
  ctx.lineTo(x(points.length - 1), height);
  ctx.lineTo(x(0), height);
  ctx.globalAlpha = 0.1;
  ctx.fillStyle = style.color;
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.fillStyle = style.getPropertyValue("--bad");
  failed.forEach((v, i) => { if (v > 0) ctx.fillRect(x(i) - step / 2, Math.min(height - 2, y(v)), Math.max(1.5, step - 0.5), height); });
}
