// The rows of the pane: sections of lines, each with a header unless there is only one. Row numbers to lines and back.

/**
 * A section. `count` lines; closed ones show their header only. `header` is false in the view by time.
 * @typedef {{key: string, count: number, open: boolean, header: boolean}} Section
 * @typedef {{section: number, line: number}} Place `line` is -1 for the header
 */

/** @param {Section} section */
const rowsIn = (section) => (section.header ? 1 : 0) + (section.open ? section.count : 0);

export class Sections {
  /** @param {Section[]} sections */
  constructor(sections) {
    this.sections = sections;
    /** @type {number[]} */
    this.starts = [];
    this.rows = 0;
    this.count();
  }

  /** To be called after counts, or what is open, changed. */
  count() {
    let rows = 0;
    this.starts = this.sections.map((section) => {
      const start = rows;
      rows += rowsIn(section);
      return start;
    });
    this.rows = rows;
  }

  /** What is in a row. @param {number} row @returns {Place} */
  at(row) {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= row) low = middle;
      else high = middle - 1;
    }
    const within = row - (this.starts[low] ?? 0);
    return { section: low, line: this.sections[low]?.header ? within - 1 : within };
  }

  /** The row of a line; of the section's header when it is closed. @param {Place} place */
  rowOf({ section, line }) {
    const { header, open } = this.sections[section];
    return this.starts[section] + (open ? line + (header ? 1 : 0) : 0);
  }

  /** The n-th of all lines, whether shown or not, sections one after the other. @param {number} index @returns {Place | null} */
  nth(index) {
    let left = index;
    for (let section = 0; section < this.sections.length; section += 1) {
      const { count } = this.sections[section];
      if (left < count) return { section, line: left };
      left -= count;
    }
    return null;
  }

  /** Which of all lines stands at a place, or comes next. @param {Place} place */
  indexOf({ section, line }) {
    const before = this.sections.slice(0, section).reduce((sum, one) => sum + one.count, 0);
    return before + Math.max(0, line);
  }
}
