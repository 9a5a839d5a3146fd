// How the grid gets from the rows it has to the rows it should have, with the least work. Values in, values out.

/**
 * @typedef {{remove: string[], add: string[], addIndex: number, update: string[]}} Plan
 */

/** @param {string[]} list @param {Set<string>} keep */
const only = (list, keep) => list.filter((id) => keep.has(id));

/**
 * One transaction when rows went, changed, and came in one place; null when the order has to be made anew.
 * @param {string[]} from ids in the grid @param {string[]} to ids that should be there, in order
 * @param {Set<string>} changed ids whose row changed
 * @returns {Plan | null}
 */
export function plan(from, to, changed) {
  const [before, after] = [new Set(from), new Set(to)];
  const stayed = only(from, after);
  if (!same(stayed, only(to, before))) return null;
  const add = to.filter((id) => !before.has(id));
  const addIndex = add.length ? to.indexOf(add[0]) : 0;
  if (!same(to.slice(addIndex, addIndex + add.length), add)) return null;
  return { remove: from.filter((id) => !after.has(id)), add, addIndex, update: stayed.filter((id) => changed.has(id)) };
}

/** @param {string[]} a @param {string[]} b */
export const same = (a, b) => a.length === b.length && a.every((id, index) => id === b[index]);
