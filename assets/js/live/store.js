// The rows of one page of the list: a snapshot, then every item after it. No I/O, no DOM.

/**
 * @typedef {import("./types.js").Row} Row
 * @typedef {import("./types.js").Item} Item
 * @typedef {import("./types.js").ListSnapshot} ListSnapshot
 * @typedef {{rows: Set<string>, order: boolean, counts: boolean}} Changed
 */

export class ListStore {
  constructor() {
    /** @type {Map<string, Row>} */
    this.rows = new Map();
    /** @type {string[]} */
    this.ids = [];
    this.total = 0;
    /** @type {import("./types.js").Counts} */
    this.counts = {};
    this.loaded = false;
  }

  /** Start again. Rows known by a higher version stay. @param {ListSnapshot} snapshot @returns {Changed} */
  replace(snapshot) {
    const changed = new Set(snapshot.rows.filter((row) => this.put(row)).map((row) => row.id));
    this.window(snapshot);
    this.loaded = true;
    return { rows: changed, order: true, counts: true };
  }

  /** @param {Item[]} items @returns {Changed} */
  fold(items) {
    const changed = { rows: new Set(), order: false, counts: false };
    for (const item of items) FOLDS[item.t]?.(this, item, changed);
    return changed;
  }

  /** Take a row unless a higher version of it is known. @param {Row} row @returns {boolean} whether it was taken */
  put(row) {
    const held = this.rows.get(row.id);
    if (held && held.version >= row.version) return false;
    this.rows.set(row.id, row);
    return true;
  }

  /** @param {{ids?: string[], total: number, counts: import("./types.js").Counts}} window */
  window({ ids, total, counts }) {
    this.total = total;
    this.counts = counts;
    if (ids) this.ids = ids;
  }

  /** Forget the rows that are in nobody's sight. @param {Iterable<string>} [shown] ids that are on screen besides */
  prune(shown = []) {
    const wanted = new Set([...this.ids, ...shown]);
    for (const id of this.rows.keys()) if (!wanted.has(id)) this.rows.delete(id);
  }
}

/** @type {{[tag: string]: (store: ListStore, item: any, changed: Changed) => void}} */
const FOLDS = {
  row(store, { row }, changed) {
    if (store.put(row)) changed.rows.add(row.id);
  },
  gone(store, { id }, changed) {
    changed.order ||= store.rows.delete(id);
  },
  window(store, item, changed) {
    changed.order ||= Boolean(item.ids);
    changed.counts = true;
    store.window(item);
  },
};
