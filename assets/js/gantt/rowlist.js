// The rows of the Gantt as elements: label on the left, duration on the right; only those of the window exist.
import { h, setAttr, setStyle, setText } from "../dom.js";
import { duration, ticking, valueText } from "../format.js";
import { isTerminal, setBadge, stateBadge, stateInfo } from "../states.js";
import { workedFor } from "./bars.js";

/** @typedef {import("./tree.js").Row} Row */

export const ROW = 28;

/** The rows that a scroller shows, with some above and below; in steps, so that scrolling a little changes nothing.
 * @param {number} top @param {number} height @param {number} total @param {number} [step]
 * @returns {[from: number, to: number]} */
export function windowOf(top, height, total, step = 12) {
  const from = Math.max(0, Math.floor((top / ROW - step) / step) * step);
  const to = Math.min(total, Math.ceil(((top + height) / ROW + step) / step) * step);
  return [Math.min(from, Math.max(0, total - 1)), Math.max(to, 0)];
}

/** @param {Row} row */
function build(row) {
  const parts = {
    toggle: h("button", { type: "button", class: "gantt-toggle", tabindex: "-1", "aria-label": "open or close" }),
    badge: stateBadge(row.run.state, { small: true }),
    name: h("span", { class: "gantt-name" }),
    value: h("span", { class: "gantt-value" }),
    note: h("span", { class: "gantt-note" }),
    time: h("span", { class: "gantt-time" }),
  };
  const label = h("div", { class: "gantt-label" }, parts.toggle, parts.badge, parts.name, parts.value, parts.note);
  const element = h("div", { class: "gantt-row", role: "button", tabindex: "0", "data-run": row.run.id, "data-task": row.run.task_id }, label, parts.time);
  return { element, ...parts };
}

/** What stands small behind the name: children done of all, or which try it is.
 * @param {Row} row @param {Map<string, import("../execution/progress.js").Progress>} progress */
export function noteOf({ run, parent }, progress) {
  const known = progress.get(run.id);
  if (parent && known && known.total > 1) return `${known.ended}/${known.total}`;
  const tries = run.attempts?.length ?? 0;
  return tries > 1 ? `try ${tries}` : "";
}

export class RowList {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.host = host;
    /** @type {Map<string, ReturnType<typeof build>>} */
    this.shown = new Map();
    /** @type {Row[]} */
    this.rows = [];
    /** @type {string | null} */
    this.hovered = null;
  }

  /** @param {Row[]} rows of the window @param {number} first index of the first
   * @param {Pick<import("./model.js").Rows, "critical" | "progress">} sums @param {number} now */
  show(rows, first, sums, now) {
    const ids = new Set(rows.map((row) => row.run.id));
    for (const [id, parts] of this.shown) {
      if (ids.has(id)) continue;
      parts.element.remove();
      this.shown.delete(id);
    }
    this.rows = rows;
    rows.forEach((row, index) => this.fill(row, first + index, sums));
    this.tick(now);
  }

  /** @param {Row} row @param {number} index @param {Pick<import("./model.js").Rows, "critical" | "progress">} sums */
  fill(row, index, { critical: path, progress }) {
    let parts = this.shown.get(row.run.id);
    if (!parts) {
      parts = build(row);
      this.shown.set(row.run.id, parts);
      this.host.append(parts.element);
    }
    const { run } = row;
    const critical = path.has(run.id);
    setStyle(parts.element, { "--depth": row.depth, top: `${index * ROW}px` });
    setAttr(parts.element, "data-state", run.state);
    setAttr(parts.element, "data-token", stateInfo(run.state).token);
    setAttr(parts.element, "data-critical", critical ? "" : null);
    setAttr(parts.element, "data-odd", index % 2 ? "" : null);
    setAttr(parts.toggle, "data-open", row.parent ? String(row.open) : null);
    setBadge(parts.badge, run.state);
    setText(parts.name, run.task_id);
    setText(parts.value, valueText(run));
    setText(parts.note, noteOf(row, progress));
    parts.time.title = critical ? "on the critical path" : "";
  }

  /** Durations of what runs. @param {number} now */
  tick(now) {
    for (const { run } of this.rows) {
      const parts = this.shown.get(run.id);
      if (!parts) continue;
      const ms = workedFor(run, now);
      setText(parts.time, Number.isNaN(ms) ? "" : isTerminal(run.state) ? duration(ms) : ticking(ms));
    }
  }

  /** Mark the row under the pointer. @param {string | null} id */
  hover(id) {
    if (this.hovered === id) return;
    this.shown.get(this.hovered ?? "")?.element.removeAttribute("data-hover");
    this.hovered = id;
    this.shown.get(id ?? "")?.element.setAttribute("data-hover", "");
  }
}
