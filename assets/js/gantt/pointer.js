// What the pointer and the keys do to the Gantt: tooltip, menu, zoom by the wheel.
import { hideTip, openMenu, showTip } from "../execution/popup.js";
import { panned, zoomed } from "./axis.js";
import { menuOf, tipOf } from "./detail.js";
import { ROW } from "./rowlist.js";
import { HEAD } from "./shell.js";

/** @typedef {import("./tree.js").Row} Row */
/** @typedef {{element: HTMLElement, axis: HTMLElement, rows: () => Row[], range: () => [number, number], now: () => number, id: () => string,
 *   seen: () => import("../actions/model.js").Seen,
 *   usual: (task: string) => number | undefined, hovered: (id: string | null) => void, toggle: (id: string) => void,
 *   zoom: (range: [number, number]) => void, scrolled: () => void}} Host */

export class Pointer {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    this.pressed = { x: 0, y: 0 };
    this.tipAt = 0;
    /** @type {{row: Row, x: number, y: number} | null} */
    this.tip = null;
    this.control = new AbortController();
    const on = (/** @type {string} */ name, /** @type {(event: any) => void} */ run, /** @type {AddEventListenerOptions} */ options = {}) =>
      host.element.addEventListener(name, run, { ...options, signal: this.control.signal });
    on("scroll", () => host.scrolled(), { passive: true });
    on("pointermove", (event) => this.hover(event));
    on("pointerleave", () => this.hover(null));
    on("pointerdown", (event) => (this.pressed = { x: event.clientX, y: event.clientY }), { capture: true });
    on("click", (event) => this.click(event), { capture: true });
    on("keydown", (event) => event.key === "Enter" && this.click(event));
    on("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** @param {PointerEvent | null} event @returns {Row | null} */
  rowAt(event) {
    if (!event) return null;
    const { element } = this.host;
    const y = event.clientY - element.getBoundingClientRect().top - HEAD;
    return (y >= 0 && this.host.rows()[Math.floor((y + element.scrollTop) / ROW)]) || null;
  }

  /** @param {PointerEvent | null} event */
  hover(event) {
    const row = this.rowAt(event);
    this.host.hovered(row?.run.id ?? null);
    const onBars = event && !event.buttons && /** @type {Element} */ (event.target).closest?.(".gantt-plot");
    this.tip = onBars && row ? { row, x: event.clientX, y: event.clientY } : null;
    if (this.tip) this.showTip();
    else hideTip();
  }

  showTip() {
    if (!this.tip) return;
    const { row } = this.tip;
    this.tipAt = this.host.now();
    showTip(this.tip, ...tipOf(row, this.tipAt, this.host.usual(row.run.task_id)));
  }

  /** Keep what the tooltip says of a running task true. @param {number} now */
  tick(now) {
    if (this.tip && now - this.tipAt > 900) this.showTip();
  }

  /** @param {any} event */
  click(event) {
    const target = /** @type {Element} */ (event.target);
    const dragged = event.type === "click" && Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) > 4;
    if (target.closest(".gantt-head") || (dragged && event.detail)) return;
    const id = target.closest(".gantt-row")?.getAttribute("data-run");
    const row = id ? this.host.rows().find((one) => one.run.id === id) : this.rowAt(event);
    if (!row) return;
    if (target.closest(".gantt-toggle")) {
      if (row.parent) this.host.toggle(row.run.id);
      return;
    }
    hideTip();
    this.tip = null;
    const box = target.getBoundingClientRect();
    const at = event.clientX ? { x: event.clientX, y: event.clientY } : { x: box.left + 40, y: box.bottom };
    openMenu(at, menuOf(row, this.host.id(), this.host.seen(), row.parent ? () => this.host.toggle(row.run.id) : null), row.run.task_id);
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
    event.preventDefault();
    const range = this.host.range();
    const turn = event.deltaY || event.deltaX;
    if (event.shiftKey && !event.ctrlKey) return void this.host.zoom(panned(range, Math.sign(turn) * 0.1));
    const box = this.host.axis.getBoundingClientRect();
    const at = range[0] + ((event.clientX - box.left) / box.width) * (range[1] - range[0]);
    this.host.zoom(zoomed(range, turn > 0 ? 1.25 : 0.8, at));
  }

  close() {
    this.control.abort();
    hideTip();
  }
}
