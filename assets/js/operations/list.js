// View `operations`: the bulk operations, the newest first, live. Params: {page, size}.
import { h, onFrame, setText } from "../dom.js";
import { go, internal } from "../execution/links.js";
import { onTick } from "../execution/clock.js";
import { pager } from "../executions/pager.js";
import { ago, count, duration, exact, plural, ticking, toMs } from "../format.js";
import { elapsed, hasEnded, remaining, selectionText, tally } from "./model.js";
import { badge, bar, icon, looks, showBadge } from "./parts.js";

/** @typedef {import("./model.js").Operation} Operation */

const HEADS = ["Action", "State", "Progress", "Done", "Not done", "Left", "Started", "Took", "By"];

/** One row of the table, made once and brought up to date. */
class Row {
  /** @param {Operation} operation */
  constructor(operation) {
    const { title, icon: name } = looks(operation.action);
    this.href = `/operations/${encodeURIComponent(operation.id)}`;
    this.badge = badge(operation.state);
    this.bar = bar();
    this.note = h("span", { class: "wf-ops-note" });
    this.cells = { done: num(), refused: num(), left: num(), started: h("td", { class: "wf-muted" }), took: num() };
    const link = internal(h("a", { href: this.href, class: "wf-strong-link" }, title, ` ${plural(operation.total, "execution")}`));
    const about = [operation.reason, selectionText(operation)].filter(Boolean).join(" · ");
    this.element = h("tr", { "data-id": operation.id },
      h("td", {}, h("div", { class: "wf-ops-action" }, icon(name), h("div", {}, link, h("div", { class: "wf-sub", title: about }, about)))),
      h("td", {}, this.badge),
      h("td", { class: "wf-ops-progress" }, this.bar.element, this.note),
      this.cells.done, this.cells.refused, this.cells.left, this.cells.started, this.cells.took,
      h("td", { class: "wf-muted" }, operation.actor));
    this.element.addEventListener("click", (event) => {
      if (!(/** @type {Element} */ (event.target).closest("a"))) go(this.href);
    });
  }

  /** @param {Operation} operation @param {number} now */
  show(operation, now) {
    const { done, refused, unknown, left, total } = tally(operation);
    const { cells } = this;
    showBadge(this.badge, operation.state);
    this.bar.show(operation);
    const share = total ? Math.floor((100 * (total - left)) / total) : 100;
    setText(this.note, hasEnded(operation) ? `${share} %` : remaining(operation, now) || `${share} %`);
    setText(cells.done, count(done));
    setText(cells.refused, count(refused + unknown));
    cells.refused.classList.toggle("bad", refused + unknown > 0);
    setText(cells.left, count(left));
    const started = toMs(operation.created_at);
    setText(cells.started, ago(started, now));
    cells.started.title = exact(started);
    const took = elapsed(operation, now);
    setText(cells.took, hasEnded(operation) ? duration(took) : ticking(took));
  }
}

const num = () => h("td", { class: "wf-num" });

class List {
  /** @param {HTMLElement} element @param {{page: number, size: number}} params @param {any} live */
  constructor(element, params, live) {
    this.live = live;
    this.ask = { page: params.page ?? 1, size: params.size ?? 25 };
    /** @type {Map<string, Operation>} */
    this.operations = new Map();
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {string[]} */
    this.ids = [];
    this.total = 0;
    this.count = h("span", { class: "wf-muted wf-num" });
    this.body = h("tbody");
    this.table = h("table", { class: "wf-plain-table wf-ops-table" }, h("thead", {}, h("tr", {}, ...HEADS.map((word) => h("th", {}, word)))), this.body);
    this.empty = h("div", { class: "wf-empty", hidden: true }, icon("operations"), h("h2", {}, "No operations yet"),
      h("p", {}, "Select executions in the list, or all that match its filters, and choose what is to be done to them."),
      internal(h("a", { class: "wf-button", href: "/executions" }, "Go to Executions")));
    this.pagerPlace = h("div", { class: "wf-pager" });
    this.pager = pager(this.pagerPlace, [25, 50, 100], (to) => this.goTo(to));
    element.replaceChildren(h("div", { class: "wf-page-head" }, h("h1", {}, "Operations"), this.count),
      h("div", { class: "wf-ops-scroll" }, this.table, this.empty), this.pagerPlace);
    this.frame = onFrame(() => this.paint());
    this.stop = onTick(live, () => this.frame.ask(), 500);
    this.subscribe();
  }

  subscribe() {
    this.subscription?.close();
    this.subscription = this.live.subscribe("operations", this.ask, {
      snapshot: (/** @type {any} */ { operations, ids, total }) => {
        for (const one of operations) this.operations.set(one.id, one);
        this.order(ids, total);
      },
      items: (/** @type {any[]} */ items) => {
        for (const item of items) {
          if (item.t === "operation") this.operations.set(item.operation.id, item.operation);
          else if (item.t === "operations") this.order(item.ids ?? [], item.total);
        }
        this.frame.ask();
      },
    });
  }

  /** @param {string[]} ids @param {number} total */
  order(ids, total) {
    this.ids = ids;
    this.total = total;
    this.loaded = true;
    this.frame.ask();
  }

  paint() {
    if (!this.loaded) return;
    const now = this.live.confirmedNow();
    const shown = this.ids.filter((id) => this.operations.has(id));
    const rows = shown.map((id) => this.row(/** @type {Operation} */ (this.operations.get(id)), now));
    if (rows.length !== this.body.children.length || rows.some((row, index) => this.body.children[index] !== row)) this.body.replaceChildren(...rows);
    for (const id of this.rows.keys()) if (!this.ids.includes(id)) this.rows.delete(id);
    for (const id of this.operations.keys()) if (!this.ids.includes(id)) this.operations.delete(id);
    setText(this.count, this.total ? count(this.total) : "");
    this.table.hidden = this.total === 0;
    this.empty.hidden = this.total > 0;
    this.pagerPlace.hidden = this.total <= this.ask.size && this.ask.page === 1;
    this.pager.show(this.ask.page, this.ask.size, this.total);
  }

  /** @param {Operation} operation @param {number} now */
  row(operation, now) {
    const row = this.rows.get(operation.id) ?? new Row(operation);
    this.rows.set(operation.id, row);
    row.show(operation, now);
    return row.element;
  }

  /** @param {{page?: number, size?: number}} to */
  goTo(to) {
    this.ask = { ...this.ask, ...to };
    this.subscribe();
  }

  unmount() {
    this.stop();
    this.subscription?.close();
    this.frame.cancel();
  }
}

/** @param {HTMLElement} element @param {any} params @param {any} live */
export function operationsList(element, params, live) {
  const list = new List(element, params, live);
  return { update: () => {}, unmount: () => list.unmount() };
}
