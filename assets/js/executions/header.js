// The head of a sortable column: a click sorts on the server.
import { h, setAttr, setText } from "../dom.js";

export class SortHeader {
  /** @param {any} params with `sortName`, `table` */
  init(params) {
    this.params = params;
    this.arrow = h("span", { class: "wf-sort-arrow", "aria-hidden": "true" });
    this.element = h(
      "button",
      { type: "button", class: "wf-sort", title: `Sort by ${params.displayName}`, onclick: () => params.table.sortBy(params.sortName) },
      h("span", { class: "ag-header-cell-text" }, params.displayName),
      this.arrow,
    );
    params.table.headers.add(this);
    this.show();
  }

  /** Draw the arrow as the table is sorted now. */
  show() {
    if (!this.params || !this.element || !this.arrow) return;
    const [name, direction] = String(this.params.table.ask.sort).split(":");
    const mine = name === this.params.sortName;
    setText(this.arrow, mine ? (direction === "asc" ? "▲" : "▼") : "");
    setAttr(this.element, "data-sorted", mine ? direction : null);
  }

  getGui() {
    return /** @type {HTMLElement} */ (this.element);
  }

  refresh() {
    this.show();
    return true;
  }

  destroy() {
    this.params?.table.headers.delete(this);
  }
}
