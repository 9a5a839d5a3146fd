// View `executions-table`: the live list.
//
// The element holds what the layout gives; params: {grid, counts, total, pager, bulk, selected, newChip, empty, error: ids of elements,
// sorts: {column id: name of its sort}, sizes, columns, fixed: filters that always hold}. Which rows is said by the address. Events never go
// through a Dash prop: rows are folded here and given to the grid at most once per animation frame.
import { actionConfig } from "../actions/menu.js";
import { ofKey, whyNot } from "../actions/model.js";
import { request, requestMany } from "../actions/request.js";
import { firstWords, go, logsUrl } from "../execution/links.js";
import { onFrame, setText } from "../dom.js";
import { count, plural } from "../format.js";
import { followRows } from "../live/rows.js";
import { ListStore } from "../live/store.js";
import { showWorst } from "../frame/title.js";
import { DEFAULTS, askOf, filtersOf, nextSort, sameAsk, statesOf, withStates } from "./address.js";
import { bulkBar } from "./bulk.js";
import { showDuration } from "./cells.js";
import { chips } from "./chips.js";
import { Extras } from "./extras.js";
import { attach } from "./grid.js";
import { listenToKeys } from "./keys.js";
import { Order } from "./order.js";
import { pager } from "./pager.js";
import { change, here, onPlace, settle, show } from "./place.js";
import { selectAll } from "./selectall.js";
import { selection } from "./selection.js";

/** @typedef {import("../live/types.js").Row} Row */

const TICK_MS = 250;

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id) ?? document.createElement("div"));

export class Table {
  /** @param {HTMLElement} element @param {any} params @param {any} live */
  constructor(element, params, live) {
    this.element = element;
    this.params = params;
    this.live = live;
    settle();
    this.ask = askOf(here(), params.fixed);
    this.store = new ListStore();
    this.order = new Order();
    this.selection = selection;
    /** Cells of running executions. @type {Map<HTMLElement, Row>} */
    this.ticking = new Map();
    this.extras = new Extras(() => this.now());
    /** @type {Set<{show: () => void}>} */
    this.headers = new Set();
    /** @type {import("./grid.js").Grid | null} */
    this.grid = null;
    /** @type {{close: () => void} | null} */
    this.strays = null;
    this.frame = onFrame(() => this.paint(), { eager: true });
    this.parts = {
      chips: chips(byId(params.counts), (states) => change(withStates(here(), states))),
      pager: pager(byId(params.pager), params.sizes ?? [25, 50, 100], (to) => this.goTo(to)),
      bulk: bulkBar(byId(params.bulk), selection, () => this.matching()),
      chip: byId(params.newChip),
      empty: byId(params.empty),
      total: byId(params.total),
      error: byId(params.error),
    };
    this.whole = selectAll(selection, byId(params.bulk).parentElement ?? element, () => ({
      ids: this.order.shown, filters: this.ask.filters, total: this.store.total,
    }));
    this.listen();
    this.subscribe();
    attach(this).then((grid) => this.ready(grid));
  }

  listen() {
    const area = byId(this.params.grid).parentElement ?? this.element;
    const enter = () => this.hold("pointer", true);
    const leave = () => this.hold("pointer", false);
    const release = () => this.release();
    area.addEventListener("pointerenter", enter);
    area.addEventListener("pointerleave", leave);
    this.parts.chip.addEventListener("click", release);
    const keys = listenToKeys(this);
    const chosen = selection.onChange(() => this.chosen());
    const place = onPlace(() => this.moved());
    const emptied = (/** @type {Event} */ event) => /** @type {Element} */ (event.target).closest("[data-wf-clear-filters]") && this.showAll();
    this.parts.empty.addEventListener("click", emptied);
    const timer = setInterval(() => this.tick(), TICK_MS);
    this.unlisten = () => {
      area.removeEventListener("pointerenter", enter);
      area.removeEventListener("pointerleave", leave);
      this.parts.chip.removeEventListener("click", release);
      this.parts.bulk.remove();
      keys();
      chosen();
      place();
      this.whole.remove();
      this.parts.chips.remove();
      this.parts.empty.removeEventListener("click", emptied);
      clearInterval(timer);
    };
  }

  /** @param {import("./grid.js").Grid | null} grid */
  ready(grid) {
    this.grid = grid;
    this.frame.ask();
  }

  // -- what comes

  subscribe() {
    const ask = this.ask;
    this.subscription?.close();
    this.counting?.close();
    this.subscription = this.live.subscribe("executions", ask, {
      snapshot: (/** @type {any} */ snapshot) => this.replaced(snapshot),
      items: (/** @type {any[]} */ items) => this.took(this.store.fold(items)),
      refused: (/** @type {string} */ error) => this.refuse(error),
    });
    const view = here();
    const states = statesOf(view);
    this.counting = states.length ? this.countStates(askOf(withStates(view, []), this.params.fixed).filters) : null;
    this.parts.chips.press(states);
    for (const header of this.headers) header.show();
  }

  /** Counts of the other states, of which no row is asked for. @param {string} filters */
  countStates(filters) {
    const all = new ListStore();
    const show = () => this.parts.chips.show(all.counts);
    return this.live.subscribe("executions", { filters, size: 1 }, {
      snapshot: (/** @type {any} */ snapshot) => (all.replace(snapshot), show()),
      items: (/** @type {any[]} */ items) => (all.fold(items), show()),
    });
  }

  /** @param {any} snapshot */
  replaced(snapshot) {
    this.tellError("");
    this.took(this.store.replace(snapshot));
  }

  /** @param {import("../live/store.js").Changed} changed */
  took(changed) {
    if (changed.order) this.order.offer(this.store.ids);
    this.followStrays();
    this.frame.ask();
  }

  /** @param {string} error */
  refuse(error) {
    this.tellError(error);
    this.took(this.store.replace({ rows: [], ids: [], total: 0, counts: {} }));
  }

  /** The filter bar shows it on its chip. @param {string} error */
  tellError(error) {
    setText(this.parts.error, error);
    window.dispatchEvent(new CustomEvent("wf:refused", { detail: error || null }));
  }

  /** Rows of a frozen order that left the window go on to recolour. */
  followStrays() {
    const wanted = this.order.frozen && this.order.strays.length > 0;
    if (wanted && !this.strays) this.strays = followRows(this.live, this.order.shown, (items) => this.took(this.store.fold(items)));
    if (!wanted) this.thaw();
  }

  thaw() {
    this.strays?.close();
    this.strays = null;
  }

  // -- what is shown

  paint() {
    const { store, order, parts } = this;
    if (!store.loaded) return;
    const shown = order.shown.filter((id) => store.rows.has(id));
    this.grid?.show(shown, store.rows);
    selection.refresh(store.rows);
    selection.matches(store.total);
    store.prune(order.shown);
    parts.pager.show(this.ask.page, this.ask.size, store.total);
    if (!this.counting) parts.chips.show(store.counts);
    setText(parts.total, plural(store.total, "execution"));
    parts.empty.hidden = store.total > 0;
    parts.empty.dataset.kind = filtersOf(here()) ? "filtered" : "nothing";
    parts.bulk.show();
    this.whole.show();
    this.showFresh();
    this.tellTitle(shown);
  }

  showFresh() {
    const { fresh, latest } = this.order;
    this.parts.chip.hidden = fresh === 0;
    setText(this.parts.chip, `${count(fresh)}${fresh && fresh === latest.length ? "+" : ""} new`);
  }

  /** @param {string[]} shown */
  tellTitle(shown) {
    /** @type {{[state: string]: number}} */
    const counts = {};
    for (const id of shown) {
      const state = this.store.rows.get(id)?.state ?? "";
      counts[state] = (counts[state] ?? 0) + 1;
    }
    showWorst(this, counts);
  }

  tick() {
    if (document.hidden || this.now() === this.ticked) return;
    this.ticked = this.now();
    for (const [element, row] of this.ticking) showDuration(element, row, this);
    this.extras.tick();
  }

  /** The last confirmed moment. */
  now() {
    return this.live.confirmedNow();
  }

  // -- what people do

  /** @param {string} reason @param {boolean} on */
  hold(reason, on) {
    if (this.order.hold(reason, on)) this.frame.ask();
    this.followStrays();
  }

  release() {
    this.order.release();
    this.thaw();
    this.frame.ask();
  }

  /** @returns {import("./bulk.js").Matching} */
  matching() {
    return { filters: this.ask.filters, total: this.store.total, page: this.order.shown.length };
  }

  /** The checkboxes changed. */
  selectionChanged() {
    if (this.grid) selection.see(...this.grid.ticked());
  }

  /** The selection changed, by whomever. */
  chosen() {
    this.grid?.mirror();
    this.hold("selection", selection.count > 0);
    this.parts.bulk.show();
    this.whole.show();
  }

  /** @param {{page?: number, size?: number, sort?: string}} to */
  goTo(to) {
    show({ ...here(), ...to });
  }

  showAll() {
    change({ conditions: [], groups: [], rest: [] });
  }

  /** @param {string} name */
  sortBy(name) {
    this.goTo({ sort: nextSort(this.ask.sort, name), page: 1 });
  }

  /** @param {number} step */
  move(step) {
    this.grid?.move(step);
  }

  toggle() {
    const node = this.grid?.focused();
    node?.setSelected(!node.isSelected());
  }

  /** The page; when it is selected already, all that match. */
  takeAll() {
    const rows = this.grid?.ticked()[0] ?? [];
    if (!rows.length || selection.all) return;
    if (rows.every(({ id }) => selection.has(id))) this.whole.all();
    else selection.replace([...selection.rows.values(), ...rows]);
  }

  /** The first error line of the focused row. */
  firstError() {
    const row = this.grid?.focused()?.data;
    if (row) go(logsUrl(row.id, row.error ? { find: firstWords(row.error) } : { level: "ERROR" }));
  }

  /** This list, for the steps to the next execution in it; a plain one is the flow's own. */
  origin() {
    const { filters, sort } = this.ask;
    const from = [filters, sort === DEFAULTS.sort ? "" : `sort=${sort}`].filter(Boolean).join("&");
    return from ? `?from=${encodeURIComponent(from)}` : "";
  }

  /** @param {string} [id] */
  open(id = this.grid?.focused()?.data.id) {
    if (id) go(`/executions/${encodeURIComponent(id)}${this.origin()}`);
  }

  /** Ask for the action of a key: for what is selected, else for the row that has the focus. @param {string} key @returns {boolean} */
  act(key) {
    const info = ofKey(actionConfig(), key);
    const focused = this.grid?.focused()?.data;
    if (info && selection.count) requestMany(info.action, selection.chosen);
    else if (info && focused && whyNot(info, focused, actionConfig()) === null) request(info.action, focused.id);
    return Boolean(info);
  }

  /** The menu of all actions: on what is selected, else on the row that has the focus. */
  menu() {
    if (selection.count) return this.parts.bulk.open();
    const row = this.grid?.focused()?.rowIndex;
    /** @type {HTMLElement | null} */ (document.querySelector(`.ag-row[row-index="${row}"] [data-more]`))?.click();
  }

  // -- life

  /** The address is another one. */
  moved() {
    const ask = askOf(here(), this.params.fixed);
    this.grid?.arrange();
    if (sameAsk(ask, this.ask)) return;
    if (ask.filters !== this.ask.filters) selection.clear();
    this.ask = ask;
    this.order.clear();
    this.thaw();
    this.store = new ListStore();
    this.subscribe();
  }

  unmount() {
    this.unlisten?.();
    selection.clear();
    this.frame.cancel();
    this.subscription?.close();
    this.counting?.close();
    this.thaw();
    this.grid?.close();
    this.extras.close();
    showWorst(this, null);
  }
}
