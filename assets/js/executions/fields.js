// The fields one can filter by, as the server's table has them, and conditions in words. No DOM.
import { moment, toMs } from "../format.js";

/** @typedef {import("./address.js").Condition} Condition */
/** `op`: the operator a new condition begins with; `choices`: all values there are, if they are few and fixed.
 * @typedef {{name: string, title: string, widget: "values" | "choice" | "label" | "date" | "range" | "text", op: string,
 *   ops: [string, string][], hint: string, choices: string[], suggests?: boolean}} Field */
/** @typedef {{value: string, title: string}} Range */

export const LISTS = new Set(["IN", "NOT_IN"]);
const FROM = "GREATER_THAN_OR_EQUAL_TO";
const UNTIL = "LESS_THAN_OR_EQUAL_TO";
const SHOWN = 3;

/** @param {Field[]} fields @param {string} name @returns {Field} an unknown one takes any text */
export function fieldOf(fields, name) {
  return fields.find((field) => field.name === name) ?? { name, title: name, widget: "text", op: "EQUALS", ops: [], hint: "", choices: [] };
}

/** A condition in words. @param {Condition} condition @param {Field[]} fields @param {Range[]} ranges
 * @returns {{title: string, op: string, value: string, whole: string}} `value` is cut when there are many */
export function words(condition, fields, ranges) {
  const field = fieldOf(fields, condition.field);
  const op = field.ops.find(([name]) => name === condition.op)?.[1] ?? condition.op.toLowerCase().replaceAll("_", " ");
  const values = condition.values.map((value) => valueWords(field, value, ranges)).map((value) => (condition.key === undefined ? value : `${condition.key}:${value}`));
  const one = values.length === 1 && LISTS.has(condition.op);
  const short = values.length > SHOWN ? `${values.slice(0, SHOWN).join(", ")} +${values.length - SHOWN}` : values.join(", ");
  return { title: field.title, op: one ? (condition.op === "IN" ? "is" : "is not") : op, value: short, whole: values.join(", ") };
}

/** @param {Field} field @param {string} value @param {Range[]} ranges */
function valueWords(field, value, ranges) {
  if (field.widget === "range") return rangeWords(value, ranges);
  return field.widget === "date" && Number.isFinite(toMs(value)) ? moment(toMs(value)) : value;
}

/** @param {string} value @param {Range[]} ranges */
export const rangeWords = (value, ranges) => ranges.find((range) => range.value === value)?.title ?? value;

/** The field of a range's end: with another date than the start's, the server takes startDate … endDate as the range.
 * @param {string} dates */
const endOf = (dates) => (dates ? "endDate" : "startDate");

/** Whether the button of the time range stands for it. @param {Condition} condition @param {string} [dates] which date it is about */
export function isTime({ field, op }, dates = "") {
  return field === "timeRange" || (field === "startDate" && op === FROM) || (field === endOf(dates) && op === UNTIL);
}

/** The time that conditions name. @param {Condition[]} conditions @param {string} [dates]
 * @returns {{range: string, from: string, until: string}} */
export function timeOf(conditions, dates = "") {
  const value = (/** @type {string} */ field, /** @type {string} */ op) => conditions.find((one) => one.field === field && one.op === op)?.values[0] ?? "";
  return { range: value("timeRange", "EQUALS"), from: value("startDate", FROM), until: value(endOf(dates), UNTIL) };
}

/** The same conditions over another time. @param {Condition[]} conditions @param {{range?: string, from?: string, until?: string}} time
 * @param {string} [dates] which date it is about @param {string} [before] which one it was about
 * @returns {Condition[]} */
export function withTime(conditions, { range, from, until }, dates = "", before = dates) {
  const others = conditions.filter((one) => !isTime(one, before));
  if (range) others.push({ field: "timeRange", op: "EQUALS", values: [range] });
  if (from) others.push({ field: "startDate", op: FROM, values: [from] });
  if (until) others.push({ field: endOf(dates), op: UNTIL, values: [until] });
  return others;
}

/** The time in words. @param {Condition[]} conditions @param {Range[]} ranges @param {string} [dates] */
export function timeWords(conditions, ranges, dates = "") {
  const { range, from, until } = timeOf(conditions, dates);
  const at = (/** @type {string} */ iso) => moment(toMs(iso)).slice(0, 16);
  const word = { END_DATE: "ended ", START_OR_END_DATE: "started or ended " }[dates] ?? "";
  if (from || until) return word + [from && `from ${at(from)}`, until && `until ${at(until)}`].filter(Boolean).join(" ");
  return range ? word + (word ? rangeWords(range, ranges).toLowerCase() : rangeWords(range, ranges)) : "Any time";
}

/** A new condition on a field, with a value or yet without one. @param {Field} field @param {string} [value] @param {boolean} [not] @returns {Condition} */
export function condition(field, value, not = false) {
  const has = (/** @type {string} */ op) => field.ops.some(([name]) => name === op);
  const opposite = { IN: "NOT_IN", EQUALS: "NOT_EQUALS" }[field.op] ?? "";
  const op = not && has(opposite) ? opposite : field.op;
  if (field.widget !== "label") return { field: field.name, op, values: value === undefined ? [] : [value] };
  const [key, ...rest] = (value ?? "").split(":");
  return { field: field.name, op, key, values: value === undefined ? [] : [rest.join(":")] };
}

/** The same condition with another operator; a list becomes its first value where only one is taken.
 * @param {Condition} old @param {string} op @returns {Condition} */
export function withOp(old, op) {
  if (LISTS.has(op) || !LISTS.has(old.op)) return { ...old, op, values: LISTS.has(op) ? old.values.filter(Boolean) : old.values };
  return { ...old, op, values: old.values.slice(0, 1) };
}
