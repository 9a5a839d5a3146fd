// Tooltips and clicks of the table's cells, for all of them at once.
import { actionConfig, executionItems, menuBelow } from "../actions/menu.js";
import { whyNot } from "../actions/model.js";
import { request } from "../actions/request.js";
import { copyText } from "../dom.js";
import { ago, exact, shortId, toMs } from "../format.js";
import { labelWords } from "./cells.js";

/** @typedef {import("../live/types.js").Row} Row */

/** What a cell says besides what it shows, by column. @type {{[column: string]: (row: Row, now: number, cell: HTMLElement) => string}} */
const TITLES = {
  state: (row) => row.state,
  flow: (row) => `${row.namespace} / ${row.flow_id}, revision ${row.revision}`,
  namespace: (row) => row.namespace,
  start: (row, now) => `${exact(toMs(row.start_date))} (${ago(toMs(row.start_date), now)})`,
  duration: (row) => (row.end_date ? `ended ${exact(toMs(row.end_date))}` : "still running: counted to the last confirmed moment"),
  end: (row) => exact(toMs(row.end_date)),
  parent: (row) => row.parent_id ?? "",
  last_task: (row) => row.last_task ?? "",
  trigger: (row) => [row.trigger_id, row.trigger_type].filter(Boolean).join(", "),
  labels: (row) => labelWords(row).join("\n"),
  inputs: (_, __, cell) => cell.textContent ?? "",
  outputs: (_, __, cell) => cell.textContent ?? "",
  progress: (row) => `${row.end_date ? "how long it took" : "how long it runs"} against the usual duration of the flow`,
  error: (row) => row.error ?? "",
  id: (row) => `${row.id}\nclick to copy`,
};

/** @param {Element} button @param {Row} row */
function titleOfAction(button, row) {
  const info = actionConfig().actions?.find(({ action }) => action === /** @type {HTMLElement} */ (button).dataset.action);
  return info ? (whyNot(info, row, actionConfig()) ?? `${info.title} this execution`) : "";
}

/** Everything that can be asked of a row's execution; the order is frozen while it is open.
 * @param {HTMLElement} button @param {Row} row @param {any} table */
function rowMenu(button, row, table) {
  table.hold("menu", true);
  const closed = () => table.hold("menu", false);
  menuBelow(button, executionItems(row.id, row), `${row.flow_id} ${shortId(row.id)}`, closed);
}

/** A link of a cell goes there inside the app; with a modifier key the browser does as always.
 * @param {MouseEvent} event @param {HTMLAnchorElement | null} link @param {Row} row @param {any} table */
function followLink(event, link, row, table) {
  if (!link?.href || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  table.open(link.closest(".ag-cell")?.getAttribute("col-id") === "parent" ? row.parent_id : row.id);
}

/** @param {HTMLElement} area the grid's element @param {any} table @returns {() => void} stops */
export function listenToCells(area, table) {
  /** @param {Event} event */
  const found = (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const cell = /** @type {HTMLElement | null} */ (target.closest?.(".ag-cell"));
    const place = Number(cell?.closest("[row-index]")?.getAttribute("row-index") ?? -1);
    const row = table.store.rows.get(table.grid?.ids[place]);
    return cell && row ? { target, cell, row, column: cell.getAttribute("col-id") ?? "" } : null;
  };
  const over = (/** @type {Event} */ event) => {
    const hit = found(event);
    if (!hit) return;
    const button = hit.target.closest("[data-action]");
    if (button) button.setAttribute("title", titleOfAction(button, hit.row));
    else hit.cell.title = TITLES[hit.column]?.(hit.row, table.now(), hit.cell) ?? "";
  };
  const click = (/** @type {Event} */ event) => {
    const hit = found(event);
    if (!hit) return;
    const button = /** @type {HTMLElement | null} */ (hit.target.closest("[data-action]"));
    if (button && button.getAttribute("aria-disabled") !== "true") request(button.dataset.action ?? "", hit.row.id);
    const more = /** @type {HTMLElement | null} */ (hit.target.closest("[data-more]"));
    if (more) rowMenu(more, hit.row, table);
    if (hit.column === "id") copyText(hit.row.id, hit.cell);
    followLink(/** @type {MouseEvent} */ (event), hit.target.closest("a"), hit.row, table);
  };
  area.addEventListener("mouseover", over);
  area.addEventListener("click", click);
  return () => {
    area.removeEventListener("mouseover", over);
    area.removeEventListener("click", click);
  };
}
