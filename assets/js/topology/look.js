// Where the graph is looked at first: all of it where its names can be read, else what matters, in names that can. Values in, values out.

/** @typedef {import("./sum.js").Sum} Sum */
/** @typedef {{x1: number, y1: number, x2: number, y2: number}} Extent */

export const READABLE = 0.65; // of a node's own size: its name is 10 px high
const MARGIN = 28;
const FIRST = ["FAILED", "RUNNING", "KILLING", "RETRYING", "PAUSED", "BREAKPOINT"];

/** The node to look at first; null: none stands out. @param {Iterable<[string, Sum | null]>} sums by node @returns {string | null} */
export function standsOut(sums) {
  const known = [...sums];
  for (const state of FIRST) {
    const found = known.findLast(([, sum]) => sum?.state === state);
    if (found) return found[0];
  }
  return null;
}

/** How far to move what reaches `from` … `to`, drawn at `zoom`, in so much `room`: `place` in the middle, but no room left empty.
 * @param {number} place @param {[number, number]} reach @param {number} room @param {number} zoom */
export function panAlong(place, [from, to], room, zoom) {
  const size = (to - from) * zoom;
  if (size <= room - 2 * MARGIN) return (room - size) / 2 - from * zoom;
  return Math.min(MARGIN - from * zoom, Math.max(room - MARGIN - to * zoom, room / 2 - place * zoom));
}

/** @param {{x: number, y: number}} place @param {Extent} seen @returns {boolean} whether it is in sight */
export const within = ({ x, y }, seen) => x >= seen.x1 && x <= seen.x2 && y >= seen.y1 && y <= seen.y2;
