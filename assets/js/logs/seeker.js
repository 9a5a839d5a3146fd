// Going to lines: to hits of a text, to errors, to a line by its number.
import { Finder } from "./find.js";
import { fetchJson, logsAddress, restQuery } from "./query.js";

/** @typedef {import("./view.js").LogsView} LogsView */

const RENEW_MS = 1000;

export class Seeker {
  /** @param {LogsView} view */
  constructor(view) {
    this.view = view;
    this.goal = "";
    /** @type {any} */
    this.renewing = undefined;
    this.closed = false;
    this.finder = new Finder({
      id: view.params.id,
      fetchJson,
      changed: () => this.found(),
      query: () => ({ filters: view.filters, order: view.looks.view }),
    });
  }

  /** Whether the address named a line or a text to go to. */
  get hasGoal() {
    return this.goal !== "";
  }

  /** @param {string | undefined} find @param {number | undefined} line */
  arrive(find, line) {
    if (line) void this.goLine(line);
    if (find) void this.find({ needle: find }).then(() => line || this.go(1, -1));
    else if (this.finder.active) void this.finder.seek({});
  }

  found() {
    if (this.closed) return;
    this.view.parts.tools.find.say(this.finder.text);
    this.view.pane.changed();
  }

  /** @param {{needle?: string, hitLevel?: string}} sought */
  async find(sought) {
    await this.finder.seek(sought);
    if (this.closed) return;
    this.view.address();
    this.view.pane.rebuild();
  }

  /** Lines came: with what is sought in them it is counted again, at most once a second. @param {import("./lines.js").Entry[]} entries */
  came(entries) {
    const needle = this.finder.sought.needle?.toLowerCase();
    const fits = (/** @type {import("./lines.js").Entry} */ entry) =>
      needle ? entry.message.toLowerCase().includes(needle) : this.finder.sought.hitLevel === entry.level;
    if (this.renewing !== undefined || !this.finder.active || !entries.some(fits)) return;
    this.renewing = setTimeout(() => {
      this.renewing = undefined;
      void this.finder.renew();
    }, RENEW_MS);
  }

  /** Where the pane is, as a number among all lines. */
  get here() {
    const first = this.view.pane.inView()[0];
    return first ? this.view.book.sections.indexOf(first) - 1 : -1;
  }

  /** @param {1 | -1} direction @param {number} [from] */
  go(direction, from = this.here) {
    const index = this.finder.go(direction, from);
    if (index >= 0) void this.goIndex(index);
  }

  /** @param {1 | -1} direction */
  async goError(direction) {
    if (this.finder.sought.hitLevel !== "ERROR") {
      this.view.parts.tools.find.input.value = "";
      await this.find({ hitLevel: "ERROR" });
    }
    this.go(direction);
  }

  /** @param {number} index among all lines in the shown order */
  async goIndex(index) {
    await this.untilReady();
    const { book, looks, pane } = this.view;
    const place = book.sections.nth(index);
    if (!place) return;
    const { key } = book.sections.sections[place.section];
    if (looks.view === "task" && !this.view.isOpen(key)) this.view.toggle(key);
    pane.show(book.sections.rowOf(place));
  }

  /** @param {number} seq the line's number */
  async goLine(seq) {
    const { book, filters, looks, params } = this.view;
    const address = logsAddress(params.id, "place", restQuery(filters, { seq, order: looks.view }));
    const { index } = await fetchJson(address).catch(() => ({ index: null }));
    if (index === null || this.view.book !== book || this.closed) return;
    this.finder.point(index);
    await this.goIndex(index);
  }

  /** Until the book knows how many lines there are. */
  async untilReady() {
    while (!this.closed && !this.view.book.ready) await new Promise((resolve) => setTimeout(resolve, 15));
  }

  close() {
    this.closed = true;
    clearTimeout(this.renewing);
  }
}
