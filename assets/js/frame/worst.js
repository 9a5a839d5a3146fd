// The tab's title and icon: the worst state among what the page shows. Views say what they show; values in, values out here.

/** @typedef {{state: string, count: number, severity: number}} Worst */

/** Quiet below: a page on which all is well keeps its own title. */
const LOUD = 5;

/**
 * @param {Iterable<{[state: string]: number}>} shown counts by state, one for each view of the page
 * @param {(state: string) => number} severity
 * @returns {Worst | null} the worst state and how many there are; null when none is bad
 */
export function worstOf(shown, severity) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const counts of shown) for (const [state, n] of Object.entries(counts)) sums.set(state, (sums.get(state) ?? 0) + n);
  let found = null;
  for (const [state, count] of sums) {
    if (count > 0 && severity(state) >= LOUD && (!found || severity(state) > found.severity)) found = { state, count, severity: severity(state) };
  }
  return found;
}

/** @type {{[state: string]: string}} */
const SIGNS = { FAILED: "✗", KILLED: "■", WARNING: "▲", KILLING: "■", RETRYING: "↻" };

/** @param {Worst | null} worst @param {string} page the page's own title */
export function titleOf(worst, page) {
  return worst ? `${SIGNS[worst.state] ?? "●"} ${worst.count} ${worst.state.toLowerCase()} · ${page}` : page;
}
