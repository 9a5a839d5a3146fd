// What the pane shows in a row: headers and lines as elements, and how tall they are.
import { exact } from "../format.js";
import { headOf } from "./heads.js";
import { fillHeader, headerRow, lineRow, loadingRow } from "./rows.js";
import { plain } from "./sgr.js";
import { shownText, wrappedRows } from "./spans.js";

/** @typedef {import("./sections.js").Place} Place */
/** @typedef {import("./lines.js").Entry} Entry */
/** @typedef {{book?: import("./book.js").Book, looks: import("./toolbar.js").Looks, finder: import("./find.js").Finder, model: import("../execution/fold.js").Model,
 *   live: any, start: number, paneElement: HTMLElement, changed: () => void, isOpen: (key: string) => boolean}} Host */

const HEIGHTS_KEPT = 20_000;

/** Implements what the pane asks of its source. */
export class Drawer {
  /** @param {Host} host */
  constructor(host) {
    this.host = host;
    /** Lines shown whole, by seq. @type {Set<number>} */
    this.whole = new Set();
    /** @type {Map<string, ReturnType<typeof headerRow>>} */
    this.heads = new Map();
    /** @type {{section: number, header: ReturnType<typeof headerRow>} | null} */
    this.pinned = null;
    /** @type {Map<number, number>} */
    this.heights = new Map();
    this.width = 0;
    this.sign = { font: "", width: 7.2 };
  }

  get book() {
    return /** @type {import("./book.js").Book} */ (this.host.book);
  }

  sections() {
    return this.book.sections;
  }

  wraps() {
    const { looks } = this.host;
    const width = looks.wrap || this.whole.size ? this.columns() : 0;
    if (width !== this.width || this.heights.size > HEIGHTS_KEPT) this.heights.clear();
    this.width = width;
    return width > 0;
  }

  /** How many characters fit beside the time and the level. */
  columns() {
    const element = this.host.paneElement;
    const style = getComputedStyle(element);
    const gutter = Number.parseFloat(style.getPropertyValue(this.host.looks.view === "time" ? "--gutter-time" : "--gutter-task")) || 160;
    return Math.max(20, Math.floor((element.clientWidth - gutter) / this.signWidth(style.font)));
  }

  /** Width of a character of the pane's face in px. @param {string} font */
  signWidth(font) {
    const context = this.sign.font === font ? null : document.createElement("canvas").getContext("2d");
    if (!context) return this.sign.width;
    context.font = font;
    this.sign = { font, width: context.measureText("0".repeat(100)).width / 100 };
    return this.sign.width;
  }

  /** @param {Place} place @returns {number} lines of text */
  rowsOf(place) {
    const entry = this.book.entry(place);
    if (!entry || !this.width) return 1;
    const whole = this.whole.has(entry.seq);
    if (!this.host.looks.wrap && !whole) return 1;
    let rows = this.heights.get(entry.seq);
    if (rows === undefined) {
      const text = shownText(entry.message, whole);
      const button = whole || text.length === entry.message.length ? "" : " show all 000 000 more ";
      rows = wrappedRows(text + button, this.width);
      this.heights.set(entry.seq, rows);
    }
    return rows;
  }

  /** @param {Place} place */
  isCurrent({ section, line }) {
    const { current } = this.host.finder;
    if (current < 0 || line < 0) return false;
    const place = this.sections().nth(current);
    return place?.section === section && place.line === line;
  }

  /** @param {Place} place */
  keyOf(place) {
    if (place.line < 0) return `h${this.sections().sections[place.section].key}`;
    const entry = this.book.entry(place);
    if (!entry) return `l${place.section}:${place.line}`;
    return `s${entry.seq}${this.isCurrent(place) ? "c" : ""}${this.whole.has(entry.seq) ? "w" : ""}`;
  }

  /** @param {Place} place @param {string} key @returns {HTMLElement} */
  element(place, key) {
    if (place.line < 0) {
      const header = headerRow(this.sections().sections[place.section].key);
      this.heads.set(key, header);
      return header.element;
    }
    const entry = this.book.entry(place);
    if (!entry) return loadingRow();
    const { looks, finder, start } = this.host;
    const whole = this.whole.has(entry.seq);
    const row = lineRow(entry, {
      needle: finder.sought.needle ?? "",
      whole,
      relativeTo: looks.relative && !Number.isNaN(start) ? start : null,
      task: looks.view === "time",
      current: this.isCurrent(place),
    });
    if (looks.wrap || whole) row.classList.add("wrapped");
    return row;
  }

  /** @param {Place} place @param {HTMLElement} _element */
  refresh(place, _element) {
    if (place.line >= 0) return;
    const { key } = this.sections().sections[place.section];
    const header = this.heads.get(`h${key}`);
    if (header) this.fill(header, key);
  }

  /** @param {ReturnType<typeof headerRow>} header @param {string} key */
  fill(header, key) {
    const { model, live } = this.host;
    fillHeader(header, headOf(key, this.book.groups.get(key), model, live.confirmedNow(), this.host.isOpen(key)));
  }

  /** @param {number} section @returns {HTMLElement} */
  pin(section) {
    const { key } = this.sections().sections[section];
    if (this.pinned?.section !== section || this.pinned.header.element.dataset.group !== key) this.pinned = { section, header: headerRow(key) };
    this.fill(this.pinned.header, key);
    return this.pinned.header.element;
  }

  /** @param {Place[]} places */
  shown(places) {
    this.book.ensure(places);
  }

  /** Show a cut line whole. @param {number} seq */
  unfold(seq) {
    this.whole.add(seq);
    this.heights.delete(seq);
    this.host.changed();
  }

  /** A line as text. @param {Place} place */
  textOf(place) {
    const entry = place.line >= 0 ? this.book.entry(place) : undefined;
    return entry ? lineText(entry) : "";
  }
}

/** A line as it is copied. @param {Entry} entry */
export function lineText(entry) {
  return `${exact(Date.parse(entry.date))} ${entry.level.padEnd(5)} ${entry.task_id ?? "execution"}  ${plain(entry.message)}`;
}
