// Scrolling by rows: which row is on top and how far it is pushed up. Values in, values out.
//
// A browser's scroll area ends at some ten million pixels, a million lines are more. So the area has a capped height: small
// movements move by exactly their pixels, large ones (the scroll bar dragged) go to the share of all rows. Below the cap, where
// the place of each row is known, both are the same and exact.

/** @typedef {import("./layout.js").Layout} Layout */

const CAP = 4_000_000;

export class Scroll {
  constructor() {
    this.rows = 0;
    this.view = 0;
    this.top = 0;
    this.push = 0;
    this.last = 0;
    /** Height of a row in px. @type {(row: number) => number} */
    this.heightOf = () => 20;
    /** @type {Layout | null} */
    this.layout = null;
    /** Height of all rows, guessed where there is no layout. */
    this.guess = 0;
  }

  /** @param {number} rows @param {(row: number) => number} heightOf @param {Layout | null} layout @param {number} [guess] */
  set(rows, heightOf, layout, guess = rows * 20) {
    Object.assign(this, { rows, heightOf, layout, guess });
    this.top = Math.max(0, Math.min(this.top, rows - 1));
    this.clamp();
  }

  /** Height of the scroll area. */
  get area() {
    return Math.min(CAP, this.layout?.height ?? this.guess);
  }

  get exact() {
    return this.layout !== null && this.layout.height <= CAP;
  }

  get most() {
    return Math.max(0, this.area - this.view);
  }

  /** The scroll position that fits the row on top. */
  get position() {
    if (this.exact) return Math.min(this.most, /** @type {Layout} */ (this.layout).offsetOf(this.top) + this.push);
    return this.atEnd ? this.most : Math.min(this.most, (this.top / Math.max(1, this.rows)) * this.most);
  }

  /** The user scrolled to a position. @param {number} position */
  scrolled(position) {
    const moved = position - this.last;
    this.last = position;
    if (position >= this.most - 1) return this.toEnd();
    if (position <= 0) return this.to(0, 0);
    if (this.exact) return this.toExactly(position);
    if (Math.abs(moved) <= 2 * this.view) return this.by(moved);
    return this.to(Math.floor((position / this.most) * this.rows), 0);
  }

  /** @param {number} position */
  toExactly(position) {
    const layout = /** @type {Layout} */ (this.layout);
    const row = layout.rowAt(position);
    this.to(row, position - layout.offsetOf(row));
  }

  /** @param {number} row @param {number} push px of it that are above the edge */
  to(row, push) {
    this.top = Math.max(0, Math.min(row, this.rows - 1));
    this.push = push;
    this.clamp();
  }

  /** Move by pixels. @param {number} px */
  by(px) {
    let left = this.push + px;
    while (left < 0 && this.top > 0) {
      this.top -= 1;
      left += this.heightOf(this.top);
    }
    while (this.top < this.rows - 1 && left >= this.heightOf(this.top)) {
      left -= this.heightOf(this.top);
      this.top += 1;
    }
    this.push = Math.max(0, left);
    this.clamp();
  }

  /** Never past the end. */
  clamp() {
    const end = this.end();
    if (this.top > end.top || (this.top === end.top && this.push > end.push)) Object.assign(this, end);
  }

  /** Where the top is when the last row is at the bottom. */
  end() {
    let height = 0;
    for (let row = this.rows - 1; row >= 0; row -= 1) {
      height += this.heightOf(row);
      if (height >= this.view) return { top: row, push: height - this.view };
    }
    return { top: 0, push: 0 };
  }

  toEnd() {
    Object.assign(this, this.end());
  }

  get atEnd() {
    const end = this.end();
    return this.top > end.top || (this.top === end.top && this.push >= end.push - 1);
  }

  /** Bring a row into the upper middle, unless it is well in view. @param {number} row */
  show(row) {
    const shown = this.visible();
    const place = shown.findIndex((one) => one.row === row);
    if (place > 1 && place < shown.length - 3) return;
    this.to(row, 0);
    if (this.top === row) this.by(-this.view / 2.5);
  }

  /** The rows in view, with the y of each. @returns {{row: number, y: number}[]} */
  visible() {
    const found = [];
    let y = -this.push;
    for (let row = this.top; row < this.rows && y < this.view; row += 1) {
      found.push({ row, y });
      y += this.heightOf(row);
    }
    return found;
  }
}
