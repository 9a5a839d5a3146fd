// What an operation says of itself, in words and shares. No I/O, no DOM.
import { count, duration, plural, toMs } from "../format.js";

/**
 * @typedef {{id: string, action: string, actor: string, origin: string, state: string, total: number, created_at: string,
 *   details?: {[name: string]: any}, selection?: {ids?: number, filters?: string}, reason?: string, retry_of?: string, sent?: number,
 *   done?: number, refused?: number, unknown?: number, started_at?: string, ended_at?: string}} Operation
 * @typedef {{done: number, refused: number, unknown: number, left: number, total: number}} Tally
 */

const ENDED = new Set(["DONE", "STOPPED"]);

/** Which of the executions' looks an operation's state has, and a result's. @type {{[word: string]: string}} */
export const LOOKS = {
  PREPARING: "CREATED",
  RUNNING: "RUNNING",
  STOPPING: "KILLING",
  STOPPED: "CANCELLED",
  DONE: "SUCCESS",
  pending: "CREATED",
  sent: "RUNNING",
  done: "SUCCESS",
  refused: "FAILED",
  unknown: "WARNING",
  stopped: "CANCELLED",
};

/** Results as they stand in the filter, with what each means. @type {[string, string, string][]} */
export const RESULTS = [
  ["", "All", "Every execution of the operation"],
  ["done", "Done", "The action was done"],
  ["refused", "Refused", "The action was not possible; the reason is beside it"],
  ["unknown", "Unknown", "There is no such execution"],
  ["left", "Left", "No answer yet"],
];

/** @param {Operation} operation @returns {boolean} */
export const hasEnded = (operation) => ENDED.has(operation.state);

/** @param {Operation} operation @returns {Tally} */
export function tally({ total, done = 0, refused = 0, unknown = 0 }) {
  return { total, done, refused, unknown, left: Math.max(0, total - done - refused - unknown) };
}

/** What can be tried again: refused, or left when it was stopped. @param {Operation} operation */
export function failed(operation) {
  const { refused, left } = tally(operation);
  return hasEnded(operation) ? refused + left : 0;
}

/** The result by which the left ones are asked for. @param {Operation} operation */
export const leftResult = (operation) => (operation.state === "STOPPED" ? "stopped" : "pending");

/** How long it ran so far, in ms; NaN before it began. @param {Operation} operation @param {number} now */
export function elapsed(operation, now) {
  const start = toMs(operation.started_at);
  return (operation.ended_at ? toMs(operation.ended_at) : now) - start;
}

/** What is left to wait, in words; empty when that is not known. @param {Operation} operation @param {number} now */
export function remaining(operation, now) {
  const { total, left } = tally(operation);
  const ms = elapsed(operation, now);
  if (operation.state !== "RUNNING" || left === 0 || left === total || !(ms > 1000)) return "";
  return `about ${duration(Math.ceil(((ms / (total - left)) * left) / 1000) * 1000)} left`;
}

/** How fast it goes or went; empty when it took too short to say. @param {Operation} operation @param {number} now */
export function rate(operation, now) {
  const { total, left } = tally(operation);
  const ms = elapsed(operation, now);
  return ms > 2000 && total > left ? `${count(((total - left) / ms) * 1000)} a second` : "";
}

const CONDITION = /^filters(?:\[or\]\[\d+\])?\[(\w+)\]\[(\w+)\](?:\[(.+)\])?$/;
/** @type {{[op: string]: string}} */
const WORDS = {
  EQUALS: "is", IN: "is", NOT_EQUALS: "is not", NOT_IN: "is not", CONTAINS: "contains", STARTS_WITH: "begins with", ENDS_WITH: "ends with",
  PREFIX: "in", REGEX: "matches", GREATER_THAN: "after", GREATER_THAN_OR_EQUAL_TO: "from", LESS_THAN: "before", LESS_THAN_OR_EQUAL_TO: "until",
};

/** What was chosen, in words. @param {Operation} operation */
export function selectionText({ selection = {}, total, retry_of }) {
  if (retry_of) return "what failed before";
  if (selection.filters === undefined) return `${plural(selection.ids ?? total, "execution")} chosen one by one`;
  const parts = [...new URLSearchParams(selection.filters)].map(([name, value]) => {
    const [, field, op, key] = CONDITION.exec(name) ?? [];
    return field ? `${key ? `${field} ${key}` : field} ${WORDS[op] ?? op} ${value.replaceAll(",", ", ")}` : `${name} ${value}`;
  });
  return parts.length ? `all with ${parts.join(" and ")}` : "all executions";
}

/** Details of the action, in words. @param {Operation} operation @returns {string} */
export function detailText({ details = {} }) {
  const said = Object.entries(details).filter(([name, value]) => value !== null && !(name === "cascade" && value === true));
  return said.map(([name, value]) => `${name.replaceAll("_", " ")}: ${plain(value)}`).join(" · ");
}

/** @param {any} value @returns {string} */
function plain(value) {
  if (Array.isArray(value)) return value.join(", ");
  if (value && typeof value === "object") return Object.entries(value).map(([key, one]) => `${key}:${one}`).join(" ") || "none";
  return value === true ? "yes" : value === false ? "no" : String(value);
}
