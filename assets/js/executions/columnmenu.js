// The button that chooses columns: which ones, their order by dragging or Alt + ↑ ↓, and which stay in sight.
import { h, setAttr } from "../dom.js";
import { openPopover } from "../popover.js";
import { formatColumns, moved, parseColumns, pinned, toggled } from "./columns.js";
import { here, show } from "./place.js";

/** @typedef {import("./columns.js").Known} Known */
/** @typedef {import("./columns.js").Column} Column */

/** How wide the table is: what decides which columns are the usual ones. */
export const tableWidth = () => document.querySelector(".wf-table")?.clientWidth ?? innerWidth;

/** @param {Known[]} known @returns {Column[]} */
export const shownColumns = (known) => parseColumns(here().columns, known, tableWidth());

/** @param {Column[]} columns @param {Known[]} known */
export function showColumns(columns, known) {
  show({ ...here(), columns: formatColumns(columns, known, tableWidth()) }, { replace: true });
}

/** @param {Known[]} known @returns {HTMLElement} */
export function columnButton(known) {
  const button = h("button", { type: "button", class: "wf-tool", "aria-haspopup": "dialog", title: "Columns", "aria-label": "Columns", "data-wf-columns": "" },
    h("i", { class: "wf-icon wf-icon-columns", "aria-hidden": "true" }));
  button.addEventListener("click", () => open(button, known));
  return button;
}

/** @param {HTMLElement} button @param {Known[]} known */
function open(button, known) {
  const list = h("div", { class: "wf-columns" });
  const change = (/** @type {Column[]} */ columns, /** @type {string} */ focus) => {
    showColumns(columns, known);
    draw(focus);
  };
  const draw = (/** @type {string} */ focus) => {
    const columns = shownColumns(known);
    const rest = known.filter(({ id }) => !columns.some((column) => column.id === id));
    const lines = [...columns.map(({ id, pin }) => line(id, true, Boolean(pin))), ...rest.map(({ id }) => line(id, false, false))];
    list.replaceChildren(...lines);
    /** @type {HTMLElement | null} */ (list.querySelector(`[data-column="${focus}"] input`))?.focus({ preventScroll: true });
  };
  const line = (/** @type {string} */ id, /** @type {boolean} */ on, /** @type {boolean} */ pin) => {
    const columns = shownColumns(known);
    const title = known.find((column) => column.id === id)?.title ?? id;
    const box = h("input", { type: "checkbox", checked: on, onchange: () => change(toggled(columns, id, known), id) });
    const hold = h("button", { type: "button", class: "wf-column-pin", "aria-pressed": String(pin), title: pin ? "Let it scroll" : "Keep in sight", "aria-label": `Keep ${title} in sight`,
      onclick: () => change(pinned(columns, id), id) }, h("i", { class: "wf-icon wf-icon-pin", "aria-hidden": "true" }));
    const element = h("div", { class: "wf-column", "data-column": id, draggable: on ? "true" : null },
      h("i", { class: "wf-icon wf-icon-grip", "aria-hidden": "true" }), h("label", { class: "wf-check" }, box, title), on && hold);
    element.addEventListener("keydown", (event) => {
      const step = event.altKey ? { ArrowDown: 1, ArrowUp: -1 }[event.key] : undefined;
      const next = step && columns[columns.findIndex((column) => column.id === id) + step];
      if (!on || !next) return;
      event.preventDefault();
      change(moved(columns, id, next.id), id);
    });
    return element;
  };
  let dragged = "";
  list.addEventListener("dragstart", (event) => (dragged = columnAt(event)));
  list.addEventListener("dragover", (event) => {
    event.preventDefault();
    for (const element of list.children) setAttr(element, "data-over", element.getAttribute("data-column") === columnAt(event) ? "" : null);
  });
  list.addEventListener("drop", (event) => {
    event.preventDefault();
    change(moved(shownColumns(known), dragged, columnAt(event)), dragged);
  });
  const reset = h("button", { type: "button", class: "wf-link-button", onclick: () => (show({ ...here(), columns: "" }, { replace: true }), draw("")) }, "Usual columns");
  const hint = h("span", { class: "wf-columns-hint" }, "drag, or Alt ↑ ↓");
  openPopover(button, h("div", { class: "wf-columns-box" }, list, h("footer", { class: "wf-editor-foot" }, reset, h("span", { class: "wf-spring" }), hint)), { label: "Columns", align: "end" });
  draw("");
  /** @type {HTMLElement | null} */ (list.querySelector("input"))?.focus();
}

/** @param {Event} event */
const columnAt = (event) => /** @type {Element} */ (event.target).closest("[data-column]")?.getAttribute("data-column") ?? "";
