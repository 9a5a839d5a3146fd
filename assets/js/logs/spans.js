// A log line ready to be drawn: cut to length, tabs made spaces, what was searched for marked. Values in, values out.
import { parseSgr, plain } from "./sgr.js";

/** @typedef {import("./sgr.js").Style} Style */
/** @typedef {{text: string, style: Style | null, mark: boolean}} Piece */

/** Longer lines are cut to so many characters until they are asked for whole. */
export const CUT = 1000;

const TAB = "    ";

/** The text of a message as it is shown. @param {string} message @param {boolean} [whole] */
export function shownText(message, whole = false) {
  const text = plain(message).replaceAll("\t", TAB);
  return whole || text.length <= CUT ? text : text.slice(0, CUT);
}

/** How many characters are not shown of a cut line. @param {string} message */
export function hidden(message) {
  return message.length <= CUT ? 0 : Math.max(0, plain(message).replaceAll("\t", TAB).length - CUT);
}

/** Where the needle is in a text, letter case aside. @param {string} text @param {string} needle @returns {[number, number][]} */
export function matches(text, needle) {
  /** @type {[number, number][]} */
  const found = [];
  if (!needle) return found;
  const [low, sought] = [text.toLowerCase(), needle.toLowerCase()];
  if (low.length !== text.length) return found; // lower case of another length: positions would not fit
  for (let at = low.indexOf(sought); at >= 0 && found.length < 200; at = low.indexOf(sought, at + sought.length)) found.push([at, at + sought.length]);
  return found;
}

/**
 * The pieces of a line. @param {string} message @param {{needle?: string, whole?: boolean}} [options] @returns {Piece[]}
 */
export function pieces(message, { needle = "", whole = false } = {}) {
  let room = whole ? Infinity : CUT;
  const spans = [];
  for (const span of parseSgr(message)) {
    if (room <= 0) break;
    const text = span.text.replaceAll("\t", TAB).slice(0, room);
    room -= text.length;
    spans.push({ text, style: span.style });
  }
  const found = matches(spans.map((span) => span.text).join(""), needle);
  return found.length ? split(spans, found) : spans.map((span) => ({ ...span, mark: false }));
}

/** @param {{text: string, style: Style | null}[]} spans @param {[number, number][]} found @returns {Piece[]} */
function split(spans, found) {
  /** @type {Piece[]} */
  const out = [];
  const edges = found.flat();
  let start = 0;
  for (const { text, style } of spans) {
    const end = start + text.length;
    const cuts = [start, ...edges.filter((edge) => edge > start && edge < end), end];
    for (let i = 0; i + 1 < cuts.length; i += 1) {
      const [a, b] = [cuts[i], cuts[i + 1]];
      if (b > a) out.push({ text: text.slice(a - start, b - start), style, mark: found.some(([from, to]) => a >= from && b <= to) });
    }
    start = end;
  }
  return out;
}

// Signs that take two columns of a fixed-width face: East Asian wide ones and pictures.
const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\ud83c-\ud83e][\udc00-\udfff]/g;

/** Columns a text takes. @param {string} text */
export function columns(text) {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\u02ff]*$/.test(text)) return text.length;
  const wide = text.match(WIDE) ?? [];
  return text.length + wide.filter((sign) => sign.length === 1).length;
}

/** How many rows a text takes when it is wrapped anywhere: computed, never measured, so that no line costs a layout.
 * @param {string} text @param {number} width columns */
export function wrappedRows(text, width) {
  if (width <= 0) return 1;
  return text.split("\n").reduce((rows, part) => rows + Math.max(1, Math.ceil(columns(part) / width)), 0);
}
