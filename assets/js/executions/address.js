// The list's address as a view of the executions, and back. The wire form is that of the REST API and of `data/filters.py`:
// `filters[state][IN]=FAILED,WARNING`, labels `filters[labels][EQUALS][env]=prod`, alternatives `filters[or][0][flowId][EQUALS]=a`;
// beside them sort, page, size, columns and the saved view it came from. No I/O.

/** One condition; `values` are as on the wire, `key` is the label's. @typedef {{field: string, op: string, values: string[], key?: string}} Condition */
/** All of `conditions` must hold, and all of one of `groups` if there are any; `rest` are parameters of other parts.
 * @typedef {{conditions: Condition[], groups: Condition[][], sort: string, page: number, size: number, columns: string, view: string,
 *   rest: [string, string][]}} View */
/** What the server is asked for. @typedef {{filters: string, sort: string, page: number, size: number}} Ask */

export const DEFAULTS = { sort: "startDate:desc", page: 1, size: 50, columns: "", view: "" };
const LISTS = new Set(["IN", "NOT_IN"]);
const PIECES = /(?:\\[\\,]|[^,])+/gs;
const PART = /^filters(?:\[or\]\[(\d+)\])?\[(\w+)\]\[(\w+)\](?:\[(.+)\])?$/s;

/** The flat parameters of older clients, and the operators they stand for. @type {{[name: string]: string}} */
const LEGACY = {
  q: "EQUALS", scope: "EQUALS", namespace: "PREFIX", flowId: "EQUALS", startDate: "GREATER_THAN_OR_EQUAL_TO",
  endDate: "LESS_THAN_OR_EQUAL_TO", timeRange: "EQUALS", state: "IN", labels: "EQUALS", triggerExecutionId: "EQUALS", childFilter: "EQUALS",
};

/** @param {string | null} value @param {number} other */
const count = (value, other) => (/^[0-9]+$/.test(value ?? "") ? Math.max(1, Number(value) || other) : other);

/** @param {string} name @param {string} value @returns {{group: number | null, condition: Condition} | null} null: no filter */
function conditionOf(name, value) {
  const found = PART.exec(LEGACY[name] ? `filters[${name}][${LEGACY[name]}]` : name);
  if (!found || (LEGACY[name] && !value)) return null;
  const [, group, field, op, key] = found;
  const index = group === undefined ? null : Number(group);
  if (field === "labels" && key === undefined) {
    const at = value.indexOf(":");
    if (at >= 0) return { group: index, condition: { field, op, key: value.slice(0, at), values: split(op, value.slice(at + 1)) } };
  }
  return { group: index, condition: { field, op, values: split(op, value), ...(key === undefined ? {} : { key }) } };
}

/** @param {string} op @param {string} value */
const split = (op, value) => (LISTS.has(op) ? (value.match(PIECES) ?? []).map((piece) => piece.replace(/\\([\\,])/g, "$1")) : [value]);

/** A comma that belongs to a value of a list has a backslash before it. @param {Condition} condition */
const joined = ({ op, values }) => (LISTS.has(op) ? values.map((value) => value.replace(/[\\,]/g, "\\$&")).join(",") : values.join(","));

/** @param {string} search with or without the `?` @returns {View} */
export function parse(search) {
  const query = new URLSearchParams(search);
  /** @type {View} */
  const view = {
    conditions: [],
    groups: [],
    sort: query.get("sort") || DEFAULTS.sort,
    page: count(query.get("page"), DEFAULTS.page),
    size: count(query.get("size"), DEFAULTS.size),
    columns: query.get("columns") ?? "",
    view: query.get("view") ?? "",
    rest: [],
  };
  /** @type {Map<number, Condition[]>} */
  const groups = new Map();
  for (const [name, value] of query) {
    const read = conditionOf(name, value);
    if (!read) {
      if (!(name in DEFAULTS) && !LEGACY[name]) view.rest.push([name, value]);
      continue;
    }
    const list = read.group === null ? view.conditions : (groups.get(read.group) ?? []);
    if (read.group !== null) groups.set(read.group, list);
    put(list, read.condition);
  }
  view.groups = [...groups.keys()].sort((a, b) => a - b).map((index) => /** @type {Condition[]} */ (groups.get(index)));
  return view;
}

/** Lists of one field and operator are one list. @param {Condition[]} list @param {Condition} condition */
function put(list, condition) {
  const same = LISTS.has(condition.op) && list.find((one) => one.field === condition.field && one.op === condition.op && one.key === condition.key);
  if (same) same.values.push(...condition.values);
  else list.push(condition);
}

/** @param {string} text */
const readable = (text) => encodeURIComponent(text).replace(/%(?:2C|3A|2F|5B|5D|40)/g, decodeURIComponent);
/** Without the marks that end or divide a query string or a key in brackets. @param {string} key */
const readableKey = (key) => encodeURIComponent(key).replace(/%(?:3A|2F|40)/g, decodeURIComponent);

/** The name of a condition on the wire: what the server names in a refusal. @param {Condition} condition @param {number} [group] */
export function partOf({ field, op, key }, group) {
  const inside = group === undefined ? "" : `[or][${group}]`;
  return `filters${inside}[${field}][${op}]${key === undefined ? "" : `[${key}]`}`;
}

/** @param {Condition} condition @param {number} [group] */
function written(condition, group) {
  const { key } = condition;
  const name = partOf({ ...condition, key: key === undefined ? key : readableKey(key) }, group);
  return `${name}=${readable(joined(condition))}`;
}

/** Conditions that say something. @param {Condition[]} list */
const whole = (list) => list.filter(({ values }) => values.some((value) => value !== ""));

/** The filters alone, in the wire form. @param {Pick<View, "conditions" | "groups">} view */
export function filtersOf({ conditions, groups }) {
  const alternatives = groups.map(whole).filter((group) => group.length);
  const inside = alternatives.flatMap((group, index) => group.map((condition) => written(condition, index)));
  return [...whole(conditions).map((condition) => written(condition)), ...inside].join("&");
}

/** @param {View} view @returns {string} with the `?`, or empty */
export function format(view) {
  const named = /** @type {const} */ (["sort", "page", "size", "columns", "view"]);
  const rest = named.filter((name) => String(view[name]) !== String(DEFAULTS[name])).map((name) => `${name}=${readable(String(view[name]))}`);
  const others = view.rest.map(([name, value]) => `${readable(name)}=${readable(value)}`);
  const query = [filtersOf(view), ...others, ...rest].filter(Boolean).join("&");
  return query && `?${query}`;
}

/** Which date of an execution the time range is about; empty: its start. @param {Pick<View, "rest">} view */
export const datesOf = ({ rest }) => rest.find(([name]) => name === "dateFilter")?.[1] ?? "";

/** What the server is asked for. @param {View} view @param {string} [fixed] filters that always hold, in the wire form @returns {Ask} */
export function askOf(view, fixed = "") {
  const dates = view.rest.filter(([name]) => name === "dateFilter").map(([name, value]) => `${name}=${readable(value)}`);
  return { filters: [fixed, filtersOf(view), ...dates].filter(Boolean).join("&"), sort: view.sort, page: view.page, size: view.size };
}

/** @param {Ask} a @param {Ask} b */
export const sameAsk = (a, b) => JSON.stringify([a.filters, a.sort, a.page, a.size]) === JSON.stringify([b.filters, b.sort, b.page, b.size]);

/** @param {Condition} condition */
const isState = ({ field, op }) => field === "state" && op === "IN";

/** The states that are asked for; empty: all. @param {Pick<View, "conditions">} view @returns {string[]} */
export const statesOf = ({ conditions }) => conditions.find(isState)?.values ?? [];

/** The same view of these states; of none: of any. @template {Pick<View, "conditions">} T @param {T} view @param {string[]} states @returns {T} */
export function withStates(view, states) {
  const others = view.conditions.filter((condition) => !isState(condition));
  const at = view.conditions.findIndex(isState);
  if (states.length) others.splice(at < 0 ? others.length : at, 0, { field: "state", op: "IN", values: states });
  return { ...view, conditions: others };
}

/** The other direction of a sort, or the first one of another column. @param {string} sort @param {string} name */
export function nextSort(sort, name) {
  if (sort === `${name}:desc`) return `${name}:asc`;
  return `${name}:desc`;
}
