// Rows by id, of a list that has moved on without them.

/** @typedef {import("./types.js").Row} Row @typedef {import("./types.js").Item} Item */

const MOST = 100; // ids of one subscription

/** What the store has no row of is gone. @param {string[]} ids @param {Row[]} rows @returns {Item[]} */
function itemsOf(ids, rows) {
  const there = new Set(rows.map((row) => row.id));
  return [...ids.filter((id) => !there.has(id)).map((id) => ({ t: "gone", id })), ...rows.map((row) => ({ t: "row", row }))];
}

/** Hear of every change of these rows, and of each that is gone. @param {any} live @param {string[]} ids
 * @param {(items: Item[]) => void} take @returns {{close: () => void}} */
export function followRows(live, ids, take) {
  const parts = Array.from({ length: Math.ceil(ids.length / MOST) }, (_, at) => ids.slice(at * MOST, (at + 1) * MOST));
  const subscriptions = parts.map((part) => live.subscribe("rows", { ids: part }, {
    snapshot: (/** @type {{rows: Row[]}} */ { rows }) => take(itemsOf(part, rows)),
    items: take,
  }));
  return { close: () => subscriptions.forEach((subscription) => subscription.close()) };
}
