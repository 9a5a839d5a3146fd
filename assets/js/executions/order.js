// Which rows are shown, in which order: the newest order, or a frozen one while somebody uses the table.

export class Order {
  constructor() {
    /** @type {string[]} */
    this.shown = [];
    /** @type {string[]} */
    this.latest = [];
    /** Why the order is frozen: `pointer`, `selection`, `menu`. @type {Set<string>} */
    this.reasons = new Set();
  }

  get frozen() {
    return this.reasons.size > 0;
  }

  /** The server's order now. @param {string[]} ids @returns {boolean} whether what is shown changed */
  offer(ids) {
    this.latest = ids;
    if (this.frozen && this.shown.length) return false;
    this.shown = ids;
    return true;
  }

  /** Freeze or thaw for one reason. @param {string} reason @param {boolean} on @returns {boolean} whether what is shown changed */
  hold(reason, on) {
    if (on) this.reasons.add(reason);
    else this.reasons.delete(reason);
    return !this.frozen && this.release();
  }

  /** Show the newest order, whoever holds it. @returns {boolean} whether what is shown changed */
  release() {
    const changed = this.shown !== this.latest;
    this.shown = this.latest;
    return changed;
  }

  /** Another list: nothing of the old one is shown, whoever holds it. */
  clear() {
    this.shown = this.latest = [];
  }

  /** Shown rows that have left the server's window: they need a subscription of their own to recolour. */
  get strays() {
    const latest = new Set(this.latest);
    return this.shown.filter((id) => !latest.has(id));
  }

  /** How many rows are new and not shown. */
  get fresh() {
    const shown = new Set(this.shown);
    return this.latest.filter((id) => !shown.has(id)).length;
  }
}
