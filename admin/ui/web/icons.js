// Icons as SVG, in the colour of the text around them. They are decoration: the words beside them are what is read out.
import { html } from "./html.js";

const paths = {
  check: "M3.5 8.5l3 3 6-7",
  cross: "M4 4l8 8M12 4l-8 8",
  wave: "M2.5 9c1.5-3 3-3 4.5-1s3 2 6-2",
  dots: "M4 8h.01M8 8h.01M12 8h.01",
  dash: "M4 8h8",
  play: "M5 3.5v9l7-4.5z",
  pause: "M5.5 4v8M10.5 4v8",
  hand: "M8 2.5v6M8 11.5v.01",
  clock: "M8 4.5V8l2.5 1.5M8 2a6 6 0 100 12A6 6 0 008 2z",
  undo: "M5.5 3.5L2.5 6.5l3 3M2.5 6.5h7a4 4 0 010 8H7",
  arrow: "M3 8h10M9.5 4.5L13 8l-3.5 3.5",
  search: "M7 3a4 4 0 100 8 4 4 0 000-8zM10 10l3.5 3.5",
  sun: "M8 5.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M12.600 3.400l-.7.7M4.100 11.900l-.7.7",
  moon: "M13 9.5A5.5 5.5 0 016.5 3 5.5 5.5 0 1013 9.5z",
  user: "M8 8a2.5 2.5 0 100-5 2.5 2.5 0 000 5zM3 13.5c.5-2.5 2.5-3.5 5-3.5s4.5 1 5 3.5",
  lock: "M4.5 7.5h7v6h-7zM6 7.5V5a2 2 0 014 0v2.5",
  weight: "M3 12.5V9M6.300 12.5V7M9.700 12.5V5M13 12.5V3",
  fast: "M3 4l4.5 4L3 12M8.5 4L13 8l-4.5 4",
  report: "M4 2.5h5l3 3v8H4zM6 8h4M6 10.5h4",
};

/** One icon by its name. */
export const Icon = ({ name }) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=${paths[name] ?? paths.dash} /></svg>`;

/** A word in its tone with its icon. */
export const Badge = ({ tone, icon, text, big }) => html`<span class=${`badge ${tone}${big ? " big" : ""}`}><${Icon} name=${icon} />${text}</span>`;
