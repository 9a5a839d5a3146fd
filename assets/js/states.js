// What the page knows of states comes from the server's one table (the page configuration); here it only gets a face.
import { h, pageConfig, s, setAttr, setText } from "./dom.js";

/** @typedef {{state: string, terminal: boolean, token: string, shape: string, letter: string, severity: number}} StateInfo */

/** @type {Map<string, StateInfo> | null} */
let table = null;

/** @param {StateInfo[]} states the server's table */
export function configure(states) {
  table = new Map(states.map((info) => [info.state, info]));
}

/** @param {string} state @returns {StateInfo} an unknown state looks like a waiting one, with its first letter */
export function stateInfo(state) {
  if (!table) configure(pageConfig().states ?? []);
  const known = /** @type {Map<string, StateInfo>} */ (table).get(state);
  return known ?? { state, terminal: false, token: "waiting", shape: "circle", letter: state.slice(0, 1), severity: 1 };
}

/** @param {string} state */
export const isTerminal = (state) => stateInfo(state).terminal;

/** @param {Iterable<string>} states @returns {string | null} the one of highest severity */
export function worst(states) {
  let found = null;
  for (const state of states) if (found === null || stateInfo(state).severity > stateInfo(found).severity) found = state;
  return found;
}

/** The CSS colour of a state, to be used where a stylesheet can read it. @param {string} state */
export const colourVar = (state) => `var(--state-${stateInfo(state).token})`;

/**
 * Glyphs on a 16 × 16 field. `fill` paths are filled with the state's colour, `line` ones stroked with it, `ink` ones are drawn
 * on top in the colour of the ground.
 * @type {{[shape: string]: {fill?: string, line?: string, ink?: string}}}
 */
export const SHAPES = {
  circle: { line: "M8 3a5 5 0 1 0 0 10a5 5 0 1 0 0-10" },
  play: { fill: "M4.2 2.6v10.8a.8.8 0 0 0 1.2.7l8.6-5.4a.8.8 0 0 0 0-1.4L5.4 1.9a.8.8 0 0 0-1.2.7z" },
  cycle: { line: "M13 6.2A5.3 5.3 0 0 0 3.4 5M3 2.2V5.2H6M3 9.8A5.3 5.3 0 0 0 12.6 11M13 13.8V10.8H10" },
  pause: { fill: "M4 3h3v10H4zM9 3h3v10H9z" },
  stop: { fill: "M3.4 2.5h9.2a.9.9 0 0 1 .9.9v9.2a.9.9 0 0 1-.9.9H3.4a.9.9 0 0 1-.9-.9V3.4a.9.9 0 0 1 .9-.9z" },
  check: { fill: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13", ink: "M5 8.3l2.1 2.1L11.2 6" },
  triangle: { fill: "M8 1.8L15 14.2H1z", ink: "M8 6.2v3.6M8 11.7v.7" },
  cross: {
    fill: "M3.2 1.5h9.6a1.7 1.7 0 0 1 1.7 1.7v9.6a1.7 1.7 0 0 1-1.7 1.7H3.2a1.7 1.7 0 0 1-1.7-1.7V3.2a1.7 1.7 0 0 1 1.7-1.7z",
    ink: "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6",
  },
  slash: { line: "M8 2.8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0-10.4M4.4 11.6L11.6 4.4" },
};

const PARTS = /** @type {const} */ (["fill", "line", "ink"]);

/** The state's glyph as an SVG element; coloured by CSS. @param {string} state */
export function stateGlyph(state) {
  const paths = PARTS.map((part) => s("path", { class: part }));
  return setGlyph(s("svg", { class: "state-glyph", viewBox: "0 0 16 16", "aria-hidden": "true" }, ...paths), state);
}

/** Bring a glyph to another state: the same three paths take other forms, which is much cheaper than other elements.
 * @param {SVGElement} glyph @param {string} state */
function setGlyph(glyph, state) {
  const info = stateInfo(state);
  const shape = SHAPES[info.shape] ?? SHAPES.circle;
  PARTS.forEach((part, index) => setAttr(glyph.children[index], "d", shape[part] ?? null));
  setAttr(glyph, "data-shape", info.shape);
  setAttr(glyph, "data-token", info.token);
  return glyph;
}

/** The state's glyph as SVG text with fixed colours, for where no stylesheet reaches (Cytoscape).
 * @param {string} state @param {string} colour @param {string} ground */
export function glyphMarkup(state, colour, ground) {
  const { fill, line, ink } = SHAPES[stateInfo(state).shape] ?? SHAPES.circle;
  const stroke = (/** @type {string} */ d, /** @type {string} */ c) =>
    `<path d="${d}" fill="none" stroke="${c}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>`;
  const parts = [fill && `<path d="${fill}" fill="${colour}"/>`, line && stroke(line, colour), ink && stroke(ink, ground)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 16 16">${parts.filter(Boolean).join("")}</svg>`;
}

/** Glyph and word. @param {string} state @param {{small?: boolean}} [options] small: glyph and letter only, the word as a tooltip */
export function stateBadge(state, { small = false } = {}) {
  const info = stateInfo(state);
  return h(
    "span",
    { class: small ? "state-badge small" : "state-badge", "data-token": info.token, "data-state": state, title: state },
    stateGlyph(state),
    h("span", { class: "state-word" }, small ? info.letter : state),
  );
}

/** Bring a badge to another state in place; does nothing when it already shows it. @param {HTMLElement} badge @param {string} state */
export function setBadge(badge, state) {
  if (badge.dataset.state === state) return;
  const info = stateInfo(state);
  const [glyph, word] = badge.children;
  setGlyph(/** @type {SVGElement} */ (glyph), state);
  setText(word, badge.classList.contains("small") ? info.letter : state);
  badge.dataset.token = info.token;
  badge.dataset.state = state;
  badge.title = state;
}
