// The AG Grid of the table, reached past Dash: its columns get our renderers, its rows come by transaction.
import { CELLS } from "./cells.js";
import { SortHeader } from "./header.js";
import { listenToCells } from "./hover.js";
import { plan, same } from "./plan.js";

/** @typedef {import("../live/types.js").Row} Row */
/** @typedef {import("./table.js").Table} Table */

/** Where a click means something else than to open the row. */
const BUTTONS = 'a, button, input, .ag-selection-checkbox, .ag-checkbox, [col-id="id"], [col-id="menu"]';

/** Wait for the grid that Dash draws, then take it over; null when the view went meanwhile.
 * @param {Table} table @returns {Promise<Grid | null>} */
export async function attach(table) {
  const id = table.params.grid;
  for (;;) {
    while (!window.dash_ag_grid) await new Promise((resolve) => setTimeout(resolve, 20));
    const api = await window.dash_ag_grid.getApiAsync(id);
    if (!table.element.isConnected) return null;
    if (api && !api.isDestroyed()) return new Grid(api, table);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export class Grid {
  /** @param {any} api @param {Table} table */
  constructor(api, table) {
    this.api = api;
    this.table = table;
    /** @type {string[]} */
    this.ids = [];
    api.setGridOption("columnDefs", this.columns(api.getGridOption("columnDefs") ?? []));
    api.setGridOption("rowData", []);
    this.onClick = (/** @type {any} */ event) => this.clicked(event);
    this.onSelect = () => table.selectionChanged();
    this.unlisten = listenToCells(/** @type {HTMLElement} */ (document.getElementById(table.params.grid)), table);
    api.addEventListener("rowClicked", this.onClick);
    api.addEventListener("selectionChanged", this.onSelect);
  }

  /** @param {any[]} columns */
  columns(columns) {
    const { table } = this;
    return columns.map((column) => {
      const sortName = table.params.sorts?.[column.colId];
      const head = sortName ? { headerComponent: SortHeader, headerComponentParams: { sortName, table } } : {};
      const drawn = CELLS[/** @type {keyof typeof CELLS} */ (column.colId)] ?? {};
      return { ...column, ...drawn, ...head, cellDataType: false, cellRendererParams: { table } };
    });
  }

  /** Show rows in this order. @param {string[]} ids @param {Map<string, Row>} rows @param {Set<string>} changed */
  show(ids, rows, changed) {
    if (this.api.isDestroyed()) return;
    const of = (/** @type {string[]} */ some) => some.map((id) => rows.get(id));
    const steps = plan(this.ids, ids, changed);
    if (!steps) this.api.setGridOption("rowData", of(ids));
    else if (!same(this.ids, ids) || steps.update.length) {
      const remove = steps.remove.map((id) => ({ id }));
      this.api.applyTransaction({ remove, add: of(steps.add), addIndex: steps.addIndex, update: of(steps.update) });
    }
    this.ids = ids;
  }

  /** @param {any} event */
  clicked({ event, data }) {
    if (!event || !data || event.target.closest(BUTTONS) || String(getSelection() ?? "")) return;
    if (event.ctrlKey || event.metaKey) window.open(`/executions/${encodeURIComponent(data.id)}`);
    else this.table.open(data.id);
  }

  /** The row that has the keyboard's focus. @returns {any} its node */
  focused() {
    const cell = this.api.getFocusedCell();
    return cell ? this.api.getDisplayedRowAtIndex(cell.rowIndex) : null;
  }

  /** @param {number} step */
  move(step) {
    const at = this.api.getFocusedCell()?.rowIndex ?? -1;
    const next = Math.max(0, Math.min(this.ids.length - 1, at + step));
    if (!this.ids.length) return;
    this.api.ensureIndexVisible(next);
    this.api.setFocusedCell(next, "state");
  }

  close() {
    this.unlisten();
    if (this.api.isDestroyed()) return;
    this.api.removeEventListener("rowClicked", this.onClick);
    this.api.removeEventListener("selectionChanged", this.onSelect);
  }
}
