// The AG Grid of the table, reached past Dash: its columns get our renderers.
//
// A grid row is a place in the list, not an execution: when new ones come in on top, the rows stay and take other values. A row
// that is made anew costs the browser several milliseconds, one that changes its text a fraction, and a busy list moves all the time.
// A selection is of executions all the same: it moves with them.
import { setAttr } from "../dom.js";
import { CELLS, cellsOf } from "./cells.js";
import { showColumns, shownColumns } from "./columnmenu.js";
import { columnsOf, stateOf } from "./columns.js";
import { SortHeader } from "./header.js";
import { listenToCells } from "./hover.js";

/** @typedef {import("../live/types.js").Row} Row */
/** @typedef {import("./table.js").Table} Table */

/** Where a click means something else than to open the row. */
const BUTTONS = 'a, button, input, .ag-selection-checkbox, .ag-checkbox, [col-id="id"], [col-id="menu"]';

const COLUMN_EVENTS = ["columnMoved", "columnResized"];

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
    /** Ids of the executions in the rows' order. @type {string[]} */
    this.ids = [];
    /** What each row shows. @type {Row[]} */
    this.drawn = [];
    /** @type {import("./columns.js").Column[]} */
    this.shown = [];
    this.definitions = this.columns(api.getGridOption("columnDefs") ?? []);
    api.setGridOption("columnDefs", this.definitions);
    this.arrange();
    api.setGridOption("rowData", []);
    this.area = /** @type {HTMLElement} */ (document.getElementById(table.params.grid));
    setAttr(/** @type {HTMLElement} */ (this.area.parentElement), "data-drawn", "");
    this.onClick = (/** @type {any} */ event) => this.clicked(event);
    this.onSelect = () => table.selectionChanged();
    this.unlisten = listenToCells(this.area, table);
    this.onColumn = (/** @type {any} */ event) => this.rearranged(event);
    for (const name of COLUMN_EVENTS) api.addEventListener(name, this.onColumn);
    api.addEventListener("rowClicked", this.onClick);
    api.addEventListener("selectionChanged", this.onSelect);
  }

  /** @param {any[]} columns */
  columns(columns) {
    const { table } = this;
    return columns.map((column) => {
      const sortName = table.params.sorts?.[column.colId];
      const head = sortName ? { headerComponent: SortHeader, headerComponentParams: { sortName, table } } : {};
      const cellRenderer = CELLS[/** @type {keyof typeof CELLS} */ (column.colId)];
      return { ...column, ...head, cellRenderer, cellDataType: false, cellRendererParams: { table } };
    });
  }

  /** Show the columns that the address names. */
  arrange() {
    if (this.api.isDestroyed()) return;
    this.shown = shownColumns(this.table.params.columns);
    this.api.applyColumnState({ state: stateOf(this.shown, this.definitions), applyOrder: true });
  }

  /** Somebody moved, widened or pinned a column by hand. @param {any} event */
  rearranged({ type, finished, source, column }) {
    if (!finished || !String(source).startsWith("ui")) return;
    const widened = type === "columnResized" ? (column?.getColId() ?? null) : null;
    showColumns(columnsOf(this.api.getColumnState(), this.shown, widened), this.table.params.columns);
  }

  /** Show rows in this order; a row that shows the same record already costs nothing.
   * @param {string[]} ids @param {Map<string, Row>} rows */
  show(ids, rows) {
    if (this.api.isDestroyed()) return;
    const moved = ids.length !== this.ids.length || ids.some((id, place) => id !== this.ids[place]);
    this.ids = ids;
    const wanted = ids.map((id) => /** @type {Row} */ (rows.get(id)));
    this.resize(wanted);
    wanted.forEach((row, place) => {
      if (this.drawn[place] === row) return;
      this.drawn[place] = row;
      const node = this.api.getRowNode(String(place));
      node.data = row; // what is scrolled to is drawn from it
      for (const cell of cellsOf(node)) cell.draw(row);
    });
    if (moved) this.mirror();
  }

  /** Select the places of the executions that are selected, and no others. */
  mirror() {
    const { selection } = this.table;
    if (this.api.isDestroyed() || !(selection.count || this.api.getSelectedNodes().length)) return;
    const nodes = this.ids.map((_, place) => this.api.getRowNode(String(place)));
    for (const newValue of [true, false]) {
      const other = nodes.filter((node, place) => selection.has(this.ids[place]) === newValue && node.isSelected() !== newValue);
      if (other.length) this.api.setNodesSelected({ nodes: other, newValue });
    }
  }

  /** What the checkboxes say: the rows in sight, and the ids of those that are ticked. @returns {[Row[], Set<string>]} */
  ticked() {
    const chosen = this.ids.filter((_, place) => this.api.getRowNode(String(place))?.isSelected());
    return [this.drawn.slice(0, this.ids.length), new Set(chosen)];
  }

  /** As many rows as there are executions. @param {Row[]} wanted */
  resize(wanted) {
    const { length } = this.drawn;
    if (wanted.length > length) {
      const add = wanted.slice(length).map((row, index) => ({ ...row, place: String(length + index) }));
      this.api.applyTransaction({ add });
      this.drawn.push(...wanted.slice(length));
    } else if (wanted.length < length) {
      const remove = this.drawn.slice(wanted.length).map((_, index) => ({ place: String(wanted.length + index) }));
      this.api.applyTransaction({ remove });
      this.drawn.length = wanted.length;
    }
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
    for (const name of COLUMN_EVENTS) this.api.removeEventListener(name, this.onColumn);
    this.api.removeEventListener("rowClicked", this.onClick);
    this.api.removeEventListener("selectionChanged", this.onSelect);
  }
}
