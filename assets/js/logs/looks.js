// How this browser likes its logs: kept between visits.

/** @typedef {import("./toolbar.js").Looks} Looks */

const KEY = "wf-logs";
/** @type {Looks} */
const FIRST = { view: "task", wrap: false, relative: false };

/** @returns {Looks} */
export function readLooks() {
  try {
    return { ...FIRST, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return { ...FIRST };
  }
}

/** @param {Looks} looks */
export function keepLooks(looks) {
  try {
    localStorage.setItem(KEY, JSON.stringify(looks));
  } catch {
    // a browser that keeps nothing: the choice holds for this visit
  }
}
