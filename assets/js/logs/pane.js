// The scrolling pane: only the rows in view are elements. A sticky sheet shows them, a spacer gives the scroll bar its length.
import { h, onFrame, setStyle } from "../dom.js";
import { anyLayout, sectionLayout } from "./layout.js";
import { Scroll } from "./scroll.js";

/** @typedef {import("./sections.js").Sections} Sections */
/** @typedef {import("./sections.js").Place} Place */
/** @typedef {{sections: () => Sections, rowsOf: (place: Place) => number, wraps: () => boolean, keyOf: (place: Place) => string,
 *   element: (place: Place, key: string) => HTMLElement, refresh: (place: Place, element: HTMLElement) => void,
 *   pin: (section: number) => HTMLElement | null, shown: (places: Place[]) => void}} Source
 *   `keyOf` changes when the row has to be built anew; `rowsOf` is how many lines of text the row takes */

export const LINE = 20;
export const HEADER = 28;
const EXACT_ROWS = 5_000;
const SETTLE_MS = 200;

export class Pane {
  /** @param {Source} source @param {(atEnd: boolean) => void} moved after the user scrolled */
  constructor(source, moved) {
    this.source = source;
    this.moved = moved;
    this.scroll = new Scroll();
    this.following = false;
    this.pin = h("div", { class: "log-pin" });
    this.sheet = h("div", { class: "log-sheet" });
    this.spacer = h("div", { class: "log-spacer" });
    this.element = h("div", { class: "log-pane", tabindex: "0", role: "log", "aria-label": "Log lines" }, this.pin, this.sheet, this.spacer);
    /** @type {Map<string, HTMLElement>} */
    this.rows = new Map();
    this.frame = onFrame(() => this.paint());
    this.setBy = -1;
    this.old = true;
    this.dragging = false;
    this.settleTimer = 0;
    this.element.addEventListener("scroll", () => this.scrolled(), { passive: true });
    this.observer = new ResizeObserver(() => this.changed());
    this.observer.observe(this.element);
  }

  /** Height of a row in px. @param {number} row */
  heightOf(row) {
    const place = this.source.sections().at(row);
    return place.line < 0 ? HEADER : LINE * this.source.rowsOf(place);
  }

  /** Rows, or their heights, changed. */
  changed() {
    this.old = true;
    this.frame.ask();
  }

  measure() {
    this.old = false;
    const sections = this.source.sections();
    const { rows } = sections;
    this.scroll.view = this.element.clientHeight;
    const heightOf = (/** @type {number} */ row) => this.heightOf(row);
    const wraps = this.source.wraps();
    const layout = !wraps ? sectionLayout(sections, LINE, HEADER) : rows <= EXACT_ROWS ? anyLayout(rows, heightOf) : null;
    this.scroll.set(rows, heightOf, layout, rows * LINE);
    if (this.following) this.scroll.toEnd();
    setStyle(this.spacer, { height: `${Math.max(0, this.scroll.area - this.scroll.view)}px` });
  }

  paint() {
    if (this.old) this.measure();
    const sections = this.source.sections();
    const shown = this.scroll.visible().map(({ row, y }) => ({ y, place: sections.at(row) }));
    this.source.shown(shown.map(({ place }) => place));
    this.place(shown);
    this.showPin(shown);
    if (!this.dragging) this.sync();
  }

  /** @param {{y: number, place: Place}[]} shown */
  place(shown) {
    const keys = new Set();
    /** @type {HTMLElement | null} */
    let before = null;
    for (const { y, place } of shown) {
      const key = this.source.keyOf(place);
      keys.add(key);
      const element = this.rows.get(key) ?? this.add(key, place);
      this.source.refresh(place, element);
      element.style.transform = `translateY(${y}px)`;
      /** @type {ChildNode | null} */
      const next = before ? before.nextSibling : this.sheet.firstChild;
      if (next !== element) this.sheet.insertBefore(element, next);
      before = element;
    }
    for (const [key, element] of this.rows) {
      if (keys.has(key)) continue;
      element.remove();
      this.rows.delete(key);
    }
  }

  /** @param {string} key @param {Place} place */
  add(key, place) {
    const element = this.source.element(place, key);
    this.rows.set(key, element);
    return element;
  }

  /** The header of the group whose lines are on top, pushed up by the next one. @param {{y: number, place: Place}[]} shown */
  showPin(shown) {
    const place = shown[0]?.place;
    const inside = place && (place.line >= 0 || this.scroll.push > 0) && this.source.sections().sections[place.section]?.header;
    const header = inside ? this.source.pin(place.section) : null;
    if (header !== this.pin.firstChild) this.pin.replaceChildren(...(header ? [header] : []));
    this.pin.hidden = !header;
    const next = shown.find((one) => one.place.line < 0 && one.place.section !== place?.section);
    setStyle(this.pin, { transform: next && next.y < HEADER ? `translateY(${next.y - HEADER}px)` : "" });
  }

  /** Put the scroll bar where the rows are; what it says of that is not the user's doing. */
  sync() {
    const position = Math.round(this.scroll.position);
    if (Math.abs(this.element.scrollTop - position) >= 1) {
      this.element.scrollTop = position;
      this.setBy = this.element.scrollTop;
    }
    this.scroll.last = this.element.scrollTop;
  }

  scrolled() {
    const { scrollTop } = this.element;
    if (Math.abs(scrollTop - this.setBy) < 1) {
      this.setBy = -1;
      return;
    }
    if (Math.abs(scrollTop - this.scroll.last) < 0.5) return;
    this.following = false;
    this.scroll.scrolled(scrollTop);
    this.settle();
    this.moved(this.scroll.atEnd);
    this.frame.ask();
  }

  /** While the user scrolls, the bar is left to him; a little later it is put right. */
  settle() {
    this.dragging = !this.scroll.exact;
    clearTimeout(this.settleTimer);
    this.settleTimer = window.setTimeout(() => {
      this.dragging = false;
      this.frame.ask();
    }, SETTLE_MS);
  }

  /** @param {boolean} on */
  follow(on) {
    this.following = on;
    if (on) this.changed();
  }

  /** Bring a row into view. @param {number} row */
  show(row) {
    this.following = false;
    if (this.old) this.measure();
    this.scroll.show(row);
    this.moved(this.scroll.atEnd);
    this.frame.ask();
  }

  /** The places in view. @returns {Place[]} */
  inView() {
    const sections = this.source.sections();
    return this.scroll.visible().map(({ row }) => sections.at(row));
  }

  /** Build all rows anew. */
  rebuild() {
    this.rows.clear();
    this.sheet.replaceChildren();
    this.changed();
  }

  close() {
    this.observer.disconnect();
    this.frame.cancel();
    clearTimeout(this.settleTimer);
  }
}
