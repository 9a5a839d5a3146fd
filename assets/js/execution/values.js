// A tree of values: inputs, outputs, variables. Large ones start closed, long strings are cut until asked for.
import { copyText, h } from "../dom.js";
import { plural } from "../format.js";

const CUT = 240;
const MANY = 200;

/** @param {any} value */
const isBranch = (value) => value !== null && typeof value === "object";

/** One line that says what a value is. @param {any} value */
export function briefly(value) {
  if (Array.isArray(value)) return plural(value.length, "entry", "entries");
  if (isBranch(value)) return plural(Object.keys(value).length, "key");
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  return text.length > CUT ? `${text.slice(0, CUT)}…` : text;
}

/** @param {any} value */
function leaf(value) {
  const full = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  const button = h("button", { type: "button", class: "wfx-copy", title: "copy", "aria-label": "copy this value" }, "⧉");
  button.addEventListener("click", () => copyText(full, button));
  const text = h("span", { class: `wfx-value ${value === null ? "null" : typeof value}` }, briefly(value));
  if (full.length <= CUT) return [text, button];
  const more = h("button", { type: "button", class: "wfx-link" }, `show all ${full.length} characters`);
  more.addEventListener("click", () => {
    text.textContent = full;
    more.remove();
  });
  return [text, more, button];
}

/** @param {string} key @param {any} value @param {number} depth @returns {HTMLElement} */
function node(key, value, depth) {
  if (!isBranch(value)) return h("li", {}, h("b", {}, key), ...leaf(value));
  const details = h("details", { open: depth < 1 }, h("summary", {}, h("b", {}, key), h("span", { class: "wfx-brief" }, briefly(value))));
  const fill = () => details.children.length === 1 && details.append(valueTree(value, depth + 1));
  if (depth < 1) fill();
  details.addEventListener("toggle", fill);
  return h("li", {}, details);
}

/** @param {any} values an object or array @param {number} [depth] @returns {HTMLElement} */
export function valueTree(values, depth = 0) {
  const entries = Object.entries(values);
  const list = h("ul", { class: "wfx-tree" }, ...entries.slice(0, MANY).map(([key, value]) => node(key, value, depth)));
  if (entries.length > MANY) list.append(h("li", { class: "wfx-brief" }, `and ${plural(entries.length - MANY, "more", "more")}`));
  return list;
}
