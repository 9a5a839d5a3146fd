// ANSI colours of a log line: SGR sequences become styles, every other escape sequence is left out.

/** @typedef {{fg?: string, bg?: string, bold?: boolean, dim?: boolean, italic?: boolean, underline?: boolean, strike?: boolean,
 *   inverse?: boolean}} Style `fg` and `bg`: 0–15 as a name of the style sheet's colours, else `#rrggbb` */
/** @typedef {{text: string, style: Style | null}} Span */

// CSI … final byte, OSC … BEL or ST, other two-byte escapes, and stray control characters except tab and newline.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\x1b\[([0-9;:?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;

/** @type {{[code: number]: Style}} */
const ON = { 1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true }, 7: { inverse: true }, 9: { strike: true } };

/** @type {{[code: number]: (keyof Style)[]}} */
const OFF = { 22: ["bold", "dim"], 23: ["italic"], 24: ["underline"], 27: ["inverse"], 29: ["strike"], 39: ["fg"], 49: ["bg"] };

/** Colour n of 256. @param {number} n */
export function colour256(n) {
  if (n < 16) return String(n);
  if (n > 231) return hex([0, 0, 0].map(() => 8 + (n - 232) * 10));
  const level = (/** @type {number} */ v) => (v === 0 ? 0 : 55 + v * 40);
  const index = n - 16;
  return hex([level(Math.floor(index / 36)), level(Math.floor(index / 6) % 6), level(index % 6)]);
}

/** @param {number[]} rgb */
const hex = (rgb) => `#${rgb.map((part) => Math.min(255, part || 0).toString(16).padStart(2, "0")).join("")}`;

/** The colour after 38 or 48, and how many codes it took. @param {number[]} codes @param {number} at @returns {[string | null, number]} */
function extended(codes, at) {
  if (codes[at] === 5 && codes[at + 1] <= 255) return [colour256(codes[at + 1]), 2];
  if (codes[at] === 2) return [hex(codes.slice(at + 1, at + 4)), 4];
  return [null, codes.length];
}

/** @param {number} code @returns {[keyof Style, string] | null} */
function basic(code) {
  if (code >= 30 && code <= 37) return ["fg", String(code - 30)];
  if (code >= 90 && code <= 97) return ["fg", String(code - 82)];
  if (code >= 40 && code <= 47) return ["bg", String(code - 40)];
  if (code >= 100 && code <= 107) return ["bg", String(code - 92)];
  return null;
}

/** @param {Style} style @param {string} text the codes between `[` and `m` @returns {Style} */
function applied(style, text) {
  const codes = text.split(/[;:]/).map(Number);
  let next = { ...style };
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i];
    const colour = basic(code);
    if (code === 0) next = {};
    else if (ON[code]) Object.assign(next, ON[code]);
    else if (OFF[code]) for (const name of OFF[code]) delete next[name];
    else if (colour) Object.assign(next, { [colour[0]]: colour[1] });
    else if (code === 38 || code === 48) {
      const [value, taken] = extended(codes, i + 1);
      if (value) next[code === 38 ? "fg" : "bg"] = value;
      i += taken;
    }
  }
  return next;
}

/** @param {Style} style */
const orNull = (style) => (Object.keys(style).length ? style : null);

/**
 * A message as spans. A line without an escape character is one span, at once.
 * @param {string} message @returns {Span[]}
 */
export function parseSgr(message) {
  if (!hasEscapes(message)) return [{ text: message, style: null }];
  /** @type {Span[]} */
  const spans = [];
  /** @type {Style} */
  let style = {};
  let from = 0;
  for (const match of message.matchAll(ESCAPES)) {
    if (match.index > from) spans.push({ text: message.slice(from, match.index), style: orNull(style) });
    from = match.index + match[0].length;
    if (match[2] === "m") style = applied(style, match[1]);
  }
  if (from < message.length) spans.push({ text: message.slice(from), style: orNull(style) });
  return spans;
}

/** @param {string} message */
export function hasEscapes(message) {
  return message.search(ESCAPES) >= 0; // search, unlike test, leaves the place of a global pattern alone
}

/** The text alone. @param {string} message */
export function plain(message) {
  return message.replace(ESCAPES, "");
}
