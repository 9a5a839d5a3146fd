// Finding lines: by a text or by level, on the server; places are numbers of lines in the order that is shown.
import { logsAddress, restQuery } from "./query.js";

/** @typedef {{total: number, indexes: number[]}} Hits */

/** The hit before or after a place; around the end it goes on at the other one.
 * @param {number[]} indexes rising @param {number} from @param {1 | -1} direction @returns {number} its place in `indexes`, -1: none */
export function step(indexes, from, direction) {
  if (!indexes.length) return -1;
  if (direction > 0) {
    const next = indexes.findIndex((index) => index > from);
    return next < 0 ? 0 : next;
  }
  const before = indexes.findLastIndex((index) => index < from);
  return before < 0 ? indexes.length - 1 : before;
}

export class Finder {
  /**
   * @param {{id: string, fetchJson: (address: string) => Promise<any>, changed: () => void,
   *   query: () => {filters: import("./query.js").Filters, order: string}}} options
   */
  constructor(options) {
    this.options = options;
    /** @type {{needle?: string, hitLevel?: string}} */
    this.sought = {};
    /** @type {Hits} */
    this.hits = { total: 0, indexes: [] };
    this.at = -1;
    this.pointed = -1;
    this.busy = false;
    this.asked = {};
    this.problem = "";
  }

  get active() {
    return Boolean(this.sought.needle || this.sought.hitLevel);
  }

  /** The line that was found last, as its place in the shown order; -1: none. */
  get current() {
    return this.at >= 0 ? this.hits.indexes[this.at] ?? -1 : this.pointed;
  }

  /** @param {{needle?: string, hitLevel?: string}} sought */
  async seek(sought) {
    this.sought = sought;
    this.at = -1;
    this.pointed = -1;
    this.hits = { total: 0, indexes: [] };
    return this.renew();
  }

  /** Mark one line, found by its number. @param {number} index */
  point(index) {
    this.pointed = index;
    this.options.changed();
  }

  /** Ask again: more lines came, or the filter changed. */
  async renew() {
    const asked = (this.asked = {});
    if (!this.active) {
      this.pointed = -1;
      this.busy = false;
      return void this.options.changed();
    }
    this.busy = true;
    this.options.changed();
    const { filters, order } = this.options.query();
    const current = this.current;
    try {
      const hits = await this.options.fetchJson(logsAddress(this.options.id, "hits", restQuery(filters, { order, ...this.sought })));
      if (this.asked !== asked) return undefined;
      this.hits = hits;
      this.at = current < 0 ? -1 : hits.indexes.indexOf(current);
      if (this.at >= 0) this.pointed = -1;
      this.problem = "";
    } catch (error) {
      if (this.asked !== asked) return undefined;
      this.problem = String(error).replace(/^(Type)?Error: /, "");
    }
    this.busy = false;
    return void this.options.changed();
  }

  /** Go on to the next or previous hit. @param {1 | -1} direction @param {number} from where to begin when none was found yet
   * @returns {number} the line's place, -1: none */
  go(direction, from) {
    this.at = step(this.hits.indexes, this.current >= 0 ? this.current : from, direction);
    if (this.at >= 0) this.pointed = -1;
    this.options.changed();
    return this.current;
  }

  /** `3 / 214`, `214`, `none`. */
  get text() {
    if (this.problem) return "failed";
    if (!this.active) return "";
    if (this.busy && !this.hits.total) return "…";
    if (!this.hits.total) return "none";
    const most = this.hits.total > this.hits.indexes.length && this.hits.indexes.length ? `${this.hits.total}, first ${this.hits.indexes.length}` : `${this.hits.total}`;
    return this.at >= 0 ? `${this.at + 1} / ${most}` : most;
  }
}
