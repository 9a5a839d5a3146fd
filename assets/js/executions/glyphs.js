// Row actions as drawn paths: hundreds of them are on screen, and CSS masks would each be painted on a layer of its own.
import { s } from "../dom.js";

/** On a 16 × 16 field, as in the icons of the frame. @type {{[action: string]: {line?: string, fill?: string}}} */
const PATHS = {
  restart: { line: "M3 8a5 5 0 1 0 1.6-3.7M3 2.6v2.9h2.9" },
  kill: { fill: "M3.5 3.5h9v9h-9z" },
  pause: { line: "M5.5 3.5v9M10.5 3.5v9" },
  more: { fill: "M3.2 6.6a1.4 1.4 0 1 1 0 2.8a1.4 1.4 0 0 1 0-2.8zM8 6.6a1.4 1.4 0 1 1 0 2.8a1.4 1.4 0 0 1 0-2.8zM12.8 6.6a1.4 1.4 0 1 1 0 2.8a1.4 1.4 0 0 1 0-2.8z" },
  resume: { line: "M4.8 3.2v9.6L12.5 8z" },
};

/** @param {string} action */
export function actionGlyph(action) {
  const { line, fill } = PATHS[action] ?? { line: "M8 3v10M3 8h10" };
  return s(
    "svg",
    { class: "wf-row-glyph", viewBox: "0 0 16 16", "aria-hidden": "true" },
    s("path", line ? { d: line, class: "line" } : { d: fill, class: "fill" }),
  );
}
