// The last executions of each flow, oldest first. Values in, values out.
import { toMs } from "../format.js";

/** @typedef {import("../execution/fold.js").Row} Row */

/** @param {{namespace: string, flow_id: string}} row */
export const keyOf = ({ namespace, flow_id }) => `${namespace}/${flow_id}`;

/** @param {Row} a @param {Row} b */
const older = (a, b) => toMs(a.start_date) - toMs(b.start_date) || (a.id < b.id ? -1 : 1);

export class Strips {
  /** @param {number} size how many of each flow are kept */
  constructor(size) {
    this.size = size;
    /** @type {Map<string, Row[]>} */
    this.byFlow = new Map();
  }

  /** Take a row in; an older version and one too old to be shown change nothing.
   * @param {Row} row @returns {string | null} the flow that changed */
  put(row) {
    const key = keyOf(row);
    const rows = this.byFlow.get(key) ?? [];
    const place = rows.findIndex((held) => held.id === row.id);
    if (place >= 0) {
      if (rows[place].version > row.version) return null;
      rows[place] = row;
      return key;
    }
    if (rows.length >= this.size && older(row, rows[0]) < 0) return null;
    rows.push(row);
    rows.sort(older);
    if (rows.length > this.size) rows.shift();
    this.byFlow.set(key, rows);
    return key;
  }

  /** Take a row out: its execution is no more. @param {string} id @returns {string | null} the flow that changed */
  remove(id) {
    for (const [key, rows] of this.byFlow) {
      const place = rows.findIndex((row) => row.id === id);
      if (place < 0) continue;
      rows.splice(place, 1);
      return key;
    }
    return null;
  }

  /** How the flows stand: the states of the newest execution of each. @returns {{[state: string]: number}} */
  get newest() {
    /** @type {{[state: string]: number}} */
    const counts = {};
    for (const rows of this.byFlow.values()) {
      const state = rows.at(-1)?.state;
      if (state) counts[state] = (counts[state] ?? 0) + 1;
    }
    return counts;
  }

  /** Rows that a list of the newest ones does not hold, those that may still change first. @param {Set<string>} listed
   * @param {(state: string) => boolean} terminal @returns {string[]} their ids */
  strays(listed, terminal) {
    const rows = [...this.byFlow.values()].flat().filter((row) => !listed.has(row.id));
    return rows.sort((a, b) => Number(terminal(a.state)) - Number(terminal(b.state))).map((row) => row.id);
  }
}

/**
 * Heights of bars, 0 to 1: by the root of the duration, so that short ones can still be told apart.
 * @param {number[]} durations ms; NaN where not known @returns {number[]}
 */
export function heights(durations) {
  const most = Math.max(1, ...durations.filter(Number.isFinite));
  return durations.map((ms) => (Number.isFinite(ms) ? Math.max(0.18, Math.sqrt(ms / most)) : 0.18));
}
