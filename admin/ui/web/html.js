// What every component needs, in one place.
import { h, render, Fragment } from "./lib/preact.mjs";
import htm from "./lib/htm.mjs";

export { render, Fragment };
export { useEffect, useErrorBoundary, useLayoutEffect, useMemo, useRef, useState } from "./lib/hooks.mjs";
export const html = htm.bind(h);

/** Joins class names and leaves out what is false. */
export const classes = (...names) => names.filter(Boolean).join(" ");
