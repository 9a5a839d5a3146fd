// Where rows are in the scroll area, when that can be known of all of them. Values in, values out.

/** @typedef {{height: number, offsetOf: (row: number) => number, rowAt: (y: number) => number}} Layout */
/** @typedef {import("./sections.js").Sections} Sections */

/** The last index whose value is not above `sought`. @param {number} length @param {(index: number) => number} valueAt @param {number} sought */
function lastNotAbove(length, valueAt, sought) {
  let [low, high] = [0, Math.max(0, length - 1)];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (valueAt(middle) <= sought) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Rows of any height, each asked for: for a few thousand. @param {number} rows @param {(row: number) => number} heightOf @returns {Layout} */
export function anyLayout(rows, heightOf) {
  const offsets = [0];
  for (let row = 0; row < rows; row += 1) offsets.push(offsets[row] + heightOf(row));
  return {
    height: offsets[rows],
    offsetOf: (row) => offsets[Math.min(row, rows)],
    rowAt: (y) => lastNotAbove(rows, (row) => offsets[row], y),
  };
}

/** Lines of one height under headers of another, however many. @param {Sections} sections @param {number} line @param {number} header px
 * @returns {Layout} */
export function sectionLayout(sections, line, header) {
  /** @type {number[]} */
  const tops = [];
  let height = 0;
  for (const section of sections.sections) {
    tops.push(height);
    height += (section.header ? header : 0) + (section.open ? section.count * line : 0);
  }
  const headOf = (/** @type {number} */ section) => (sections.sections[section]?.header ? header : 0);
  return {
    height,
    offsetOf(row) {
      if (row >= sections.rows) return height;
      const place = sections.at(row);
      return tops[place.section] + (place.line < 0 ? 0 : headOf(place.section) + place.line * line);
    },
    rowAt(y) {
      if (!tops.length) return 0;
      const section = lastNotAbove(tops.length, (index) => tops[index], y);
      const below = y - tops[section] - headOf(section);
      const first = sections.starts[section];
      if (below < 0) return first;
      const within = (headOf(section) ? 1 : 0) + Math.floor(below / line);
      return Math.min(first + within, Math.max(0, sections.rows - 1));
    },
  };
}
