// What is selected in the list: some executions, or all that match its filters. One a page: the table fills it, the bulk bar, the
// keys and the palette read it. No DOM.

/** @typedef {import("../live/types.js").Row} Row */

/** What an action is to be done to, as the server takes it: these, or whatever matches the filters (wire form; empty: everything).
 * @typedef {{ids: string[], filters?: undefined, count: number} | {filters: string, ids?: undefined, count: number}} Chosen */

export class Selection {
  constructor() {
    /** The executions selected one by one, as last seen; empty while all that match are. @type {Map<string, Row>} */
    this.rows = new Map();
    /** The filters whose matches are all selected; null: some are, or none. @type {string | null} */
    this.filters = null;
    this.matching = 0;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /** Whether all that match the filters are selected. */
  get all() {
    return this.filters !== null;
  }

  /** How many executions are selected. */
  get count() {
    return this.all ? this.matching : this.rows.size;
  }

  /** @returns {Chosen} */
  get chosen() {
    if (this.filters !== null) return { filters: this.filters, count: this.matching };
    return { ids: [...this.rows.keys()], count: this.rows.size };
  }

  /** @param {string} id */
  has(id) {
    return this.all || this.rows.has(id);
  }

  /** Of the rows in sight, which are selected now; the others keep what they are. One that is taken out of all that match leaves
   * the others in sight. @param {Row[]} shown @param {Set<string>} chosen ids */
  see(shown, chosen) {
    const on = shown.filter(({ id }) => chosen.has(id));
    if (this.all) {
      if (on.length < shown.length) this.replace(on);
      return;
    }
    const before = [...this.rows.keys()].join();
    for (const row of shown) {
      if (chosen.has(row.id)) this.rows.set(row.id, row);
      else this.rows.delete(row.id);
    }
    if ([...this.rows.keys()].join() !== before) this.tell();
  }

  /** These and no others. @param {Row[]} rows */
  replace(rows) {
    this.filters = null;
    this.rows = new Map(rows.map((row) => [row.id, row]));
    this.tell();
  }

  /** All that match, of which there are `matching` now. @param {string} filters wire form @param {number} matching */
  selectAll(filters, matching) {
    this.rows = new Map();
    this.filters = filters;
    this.matching = matching;
    this.tell();
  }

  /** How many match by now; says so only when all of them are selected. @param {number} matching */
  matches(matching) {
    if (!this.all || matching === this.matching) return;
    this.matching = matching;
    this.tell();
  }

  /** Newer rows of what is selected, so that actions know the states. @param {Map<string, Row>} rows */
  refresh(rows) {
    for (const [id, held] of this.rows) {
      const row = rows.get(id);
      if (row && row.version > held.version) this.rows.set(id, row);
    }
  }

  clear() {
    if (this.count || this.all) this.replace([]);
  }

  tell() {
    for (const listener of [...this.listeners]) listener();
  }

  /** @param {() => void} listener called after each change @returns {() => void} stops */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** The page's. */
export const selection = new Selection();
