// A node's face as an SVG picture: glyph and letter on the left, a bar of states below, a magnifier on what failed.
import { glyphMarkup, stateInfo } from "../states.js";

/** @typedef {import("./sum.js").Sum} Sum */
/** @typedef {{[token: string]: string}} Palette */

export const LENS = 30; // px on the right of a failed node that open its error

/** A colour between two, as hex. @param {string} over @param {string} under @param {number} share of `over` */
export function mix(over, under, share) {
  const parts = (/** @type {string} */ hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) || 0);
  const [a, b] = [parts(over), parts(under)];
  return `#${a.map((value, i) => Math.round(value * share + b[i] * (1 - share)).toString(16).padStart(2, "0")).join("")}`;
}

/** Segments of the bar in order of severity, the rest of the total empty. @param {Sum} sum @param {number} width @returns {{state: string, x: number, width: number}[]} */
export function segments(sum, width) {
  const total = Math.max(sum.total, 1);
  let x = 0;
  return sum.states.map(([state, n]) => {
    const segment = { state, x, width: Math.max(1.5, (n / total) * width) };
    x += segment.width;
    return segment;
  });
}

/** @param {Sum} sum @param {{w: number, h: number}} size @param {Palette} palette @returns {string} SVG text */
export function cardMarkup(sum, { w, h }, palette) {
  const info = stateInfo(sum.state);
  const colour = palette[info.token];
  const middle = h / 2;
  const inner = glyphMarkup(sum.state, colour, palette.panel).replace("<svg", `<svg x="12" y="${middle - 10}"`).replace('width="32" height="32"', 'width="20" height="20"');
  const letter = `<text x="${w - 9}" y="15" text-anchor="end" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11" fill="${palette.muted}">${info.letter}</text>`;
  const parts = [inner, letter, sum.total > 1 && bar(sum, w, h, palette), sum.failed && lens(w, middle, palette)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w * 3}" height="${h * 3}" viewBox="0 0 ${w} ${h}">${parts.filter(Boolean).join("")}</svg>`;
}

/** @param {Sum} sum @param {number} w @param {number} h @param {Palette} palette */
function bar(sum, w, h, palette) {
  const [left, top, width] = [12, h - 9, w - 24];
  const part = (/** @type {{state: string, x: number, width: number}} */ one) =>
    `<rect x="${(left + one.x).toFixed(1)}" y="${top}" width="${Math.min(one.width, width - one.x).toFixed(1)}" height="4" fill="${palette[stateInfo(one.state).token]}"/>`;
  return `<rect x="${left}" y="${top}" width="${width}" height="4" rx="2" fill="${palette.border}"/>${segments(sum, width).map(part).join("")}`;
}

/** @param {number} w @param {number} middle @param {Palette} palette */
function lens(w, middle, palette) {
  const [x, y] = [w - LENS / 2 - 3, middle + 1];
  return (
    `<circle cx="${x}" cy="${y}" r="5" fill="none" stroke="${palette.text}" stroke-width="1.6"/>` +
    `<path d="M${x + 3.6} ${y + 3.6}l4 4" stroke="${palette.text}" stroke-width="1.8" stroke-linecap="round"/>`
  );
}

/** @param {string} markup */
export const dataUri = (markup) => `data:image/svg+xml;utf8,${encodeURIComponent(markup)}`;
