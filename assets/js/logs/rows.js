// Elements of rows: a line, a header of a task run's lines, a line that is on its way.
import { h, setStyle } from "../dom.js";
import { clock, count, exact, offset, plural } from "../format.js";
import { setBadge, stateBadge } from "../states.js";
import { hidden, pieces } from "./spans.js";

/** @typedef {import("./lines.js").Entry} Entry */
/** @typedef {import("./sgr.js").Style} Style */
/** @typedef {{needle: string, whole: boolean, relativeTo: number | null, task: boolean, current: boolean}} Look `relativeTo`: ms, null for time of day */

const FLAGS = /** @type {const} */ (["bold", "dim", "italic", "underline", "strike", "inverse"]);

/** @param {string} colour a name of the 16, or a hex value */
const colourOf = (colour) => (colour.startsWith("#") ? colour : `var(--ansi-${colour})`);

/** @param {import("./spans.js").Piece} piece @returns {Node} */
function pieceElement({ text, style, mark }) {
  if (!style && !mark) return document.createTextNode(text);
  const element = h(mark ? "mark" : "span", {}, text);
  if (!style) return element;
  element.className = FLAGS.filter((flag) => style[flag]).join(" ");
  if (style.fg) setStyle(element, { [style.inverse ? "background" : "color"]: colourOf(style.fg) });
  if (style.bg) setStyle(element, { [style.inverse ? "color" : "background"]: colourOf(style.bg) });
  return element;
}

/** @param {Entry} entry @param {Look} look */
export function lineRow(entry, look) {
  const ms = Date.parse(entry.date);
  const time = look.relativeTo === null ? clock(ms, true) : offset(ms - look.relativeTo);
  const text = h("span", { class: "log-text" }, ...pieces(entry.message, look).map(pieceElement));
  const more = look.whole ? 0 : hidden(entry.message);
  if (more) text.append(h("button", { type: "button", class: "log-more", "data-more": entry.seq }, `show all, ${count(more)} more`));
  return h(
    "div",
    { class: "log-row", "data-level": entry.level, "data-seq": entry.seq, "data-current": look.current },
    h("button", { type: "button", class: "log-time", tabindex: "-1", title: `${exact(ms)}\nline ${entry.number} of attempt ${entry.attempt}` }, time),
    h("span", { class: "log-level", title: entry.level }, entry.level.slice(0, 1)),
    look.task && h("span", { class: "log-task", title: entry.task_id ?? "execution" }, entry.task_id ?? "–"),
    text,
  );
}

export function loadingRow() {
  return h("div", { class: "log-row loading" }, h("i"));
}

/** What a header shows. @typedef {{task: string, value: string, state: string | null, time: string, lines: number, errors: number, open: boolean, note: string}} Head */

/** @param {string} key */
export function headerRow(key) {
  const parts = {
    toggle: h("span", { class: "log-toggle", "aria-hidden": "true" }, "▸"),
    badge: stateBadge("CREATED"),
    task: h("b"),
    value: h("span", { class: "gantt-value" }),
    note: h("span", { class: "log-note" }),
    errors: h("span", { class: "log-errors" }),
    lines: h("span", { class: "log-lines" }),
    time: h("span", { class: "log-length" }),
  };
  const element = h("div", { class: "log-group", role: "button", tabindex: "0", "data-group": key }, ...Object.values(parts));
  return { element, parts };
}

/** @param {ReturnType<typeof headerRow>} header @param {Head} head */
export function fillHeader({ element, parts }, head) {
  element.setAttribute("aria-expanded", String(head.open));
  parts.badge.hidden = !head.state;
  if (head.state) setBadge(parts.badge, head.state);
  parts.task.textContent = head.task || "execution";
  parts.value.textContent = head.value;
  parts.note.textContent = head.note;
  parts.errors.textContent = head.errors ? plural(head.errors, "error") : "";
  parts.lines.textContent = plural(head.lines, "line");
  parts.time.textContent = head.time;
}
