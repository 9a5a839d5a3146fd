// Conditions by their place in a view: at the top (`group` null), or in one of the alternatives. Values in, values out.

/** @typedef {import("./address.js").Condition} Condition */
/** @typedef {{conditions: Condition[], groups: Condition[][]}} Parts */
/** @typedef {{group: number | null, index: number}} Place */

/** @param {Parts} parts @param {number | null} group @returns {Condition[]} */
export const listOf = ({ conditions, groups }, group) => (group === null ? conditions : (groups[group] ?? []));

/** The same parts with another list. @template {Parts} T @param {T} parts @param {number | null} group @param {Condition[]} list @returns {T} */
function withList(parts, group, list) {
  if (group === null) return { ...parts, conditions: list };
  const groups = [...parts.groups];
  groups[group] = list;
  return { ...parts, groups };
}

/** @template {Parts} T @param {T} parts @param {Place} at @param {Condition} condition @returns {T} */
export function put(parts, { group, index }, condition) {
  const list = [...listOf(parts, group)];
  list[index] = condition;
  return withList(parts, group, list);
}

/** Without the one at a place; an alternative that has none left goes too. @template {Parts} T @param {T} parts @param {Place} at @returns {T} */
export function drop(parts, { group, index }) {
  return tidy(withList(parts, group, listOf(parts, group).filter((_, place) => place !== index)));
}

/** A further condition at the top: a value of a list that is there already joins it. @template {Parts} T @param {T} parts
 * @param {Condition} condition @returns {T} */
export function add(parts, condition) {
  const { conditions } = parts;
  const at = conditions.findIndex(({ field, op, key }) => field === condition.field && op === condition.op && key === condition.key);
  if (at < 0) return { ...parts, conditions: [...conditions, condition] };
  const values = /IN$/.test(condition.op) ? [...new Set([...conditions[at].values, ...condition.values])] : condition.values;
  return { ...parts, conditions: conditions.map((one, index) => (index === at ? { ...one, values } : one)) };
}

/** A condition at the top becomes the first of two alternatives; the second is empty yet. @template {Parts} T @param {T} parts
 * @param {number} index @returns {T} */
export function branch(parts, index) {
  const conditions = parts.conditions.filter((_, place) => place !== index);
  return { ...parts, conditions, groups: [[parts.conditions[index]]] };
}

/** What says nothing is left out; a single alternative is none. @template {Parts} T @param {T} parts @returns {T} */
export function tidy(parts) {
  const said = (/** @type {Condition[]} */ list) => list.filter(({ values }) => values.some((value) => value !== ""));
  const groups = parts.groups.map(said).filter((list) => list.length);
  const conditions = said(parts.conditions);
  return groups.length === 1 ? { ...parts, conditions: [...conditions, ...groups[0]], groups: [] } : { ...parts, conditions, groups };
}
