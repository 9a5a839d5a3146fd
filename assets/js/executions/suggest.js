// What the filter bar offers for what is typed. Values in, values out.
import { condition } from "./fields.js";

/** @typedef {import("./address.js").Condition} Condition */
/** @typedef {import("./fields.js").Field} Field */
/** @typedef {{value: string, count?: number}} Value */
/** One line of the list: a condition to add, a field to choose a value of, or a text to go on typing with.
 * @typedef {{title: string, group: string, detail?: string, count?: number, state?: string, condition?: Condition, field?: Field, more?: string}} Option */

const TYPED = /^\s*([\w ]+?)\s*(!?[:=])\s*(.*)$/s;
const MOST = 6; // of one kind, so that every kind is in sight
const MOST_OF_FIELD = 50;

/** @param {Field[]} fields @param {string} word */
function named(fields, word) {
  const wanted = word.toLowerCase();
  return fields.find(({ name, title }) => name.toLowerCase() === wanted || title.toLowerCase() === wanted);
}

/** The field that the typed text begins with, whether it is denied, and the text after it.
 * @param {string} text @param {Field[]} fields @returns {{field: Field, not: boolean, rest: string} | null} */
export function begun(text, fields) {
  const found = TYPED.exec(text);
  const field = found && named(fields, found[1]);
  return field ? { field, not: found[2].startsWith("!"), rest: found[3].trim() } : null;
}

/** Values that have the text, those that begin with it first. @param {Value[]} values @param {string} text */
export function having(values, text) {
  const wanted = text.trim().toLowerCase();
  const found = values.filter(({ value }) => value.toLowerCase().includes(wanted));
  const first = (/** @type {Value} */ { value }) => (value.toLowerCase().startsWith(wanted) ? 0 : 1);
  return wanted ? found.sort((a, b) => first(a) - first(b)) : found;
}

/** @param {Field} field @param {Value} value @param {boolean} not @returns {Option} */
const valueOption = (field, { value, count }, not) => (field.widget === "label" && value.endsWith(":") ? { title: value, group: field.title, count, more: value } : {
  title: value, group: field.title, detail: not ? "is not" : "", count, condition: condition(field, value, not),
  ...(field.name === "state" ? { state: value } : {}),
});

/** @param {Field} field @returns {Option} */
const fieldOption = (field) => ({ title: field.title, group: "Filter by", detail: field.hint, field });

/** @param {{field: Field, not: boolean, rest: string}} start @param {Value[]} known @returns {Option[]} */
function ofField({ field, not, rest }, known) {
  const choices = field.choices.length ? field.choices.map((value) => ({ value })) : known;
  const found = having(choices, rest).slice(0, MOST_OF_FIELD).map((value) => valueOption(field, value, not));
  const free = field.widget === "values" || field.widget === "text" || (field.widget === "label" && rest.includes(":"));
  const literal = free && rest && !found.some(({ title }) => title === rest) ? [valueOption(field, { value: rest }, not)] : [];
  return found.length || literal.length ? [...found, ...literal] : [fieldOption(field)];
}

/**
 * The options for a text. @param {string} text @param {Field[]} fields @param {{[field: string]: Value[]}} known values by field
 * @param {import("./fields.js").Range[]} ranges @returns {Option[]} the first is what Enter does
 */
export function options(text, fields, known, ranges) {
  const typed = text.trim();
  const start = begun(text, fields);
  if (start) return ofField(start, known[start.field.name] ?? []);
  if (!typed) return fields.filter(({ name }) => name !== "q").map(fieldOption);
  const search = named(fields, "q");
  /** @type {Option[]} */
  const found = search ? [{ title: typed, group: "Search", detail: search.hint, condition: condition(search, typed) }] : [];
  const label = named(fields, "labels");
  if (label && /^[^:\s]+:./.test(typed)) found.push(valueOption(label, { value: typed }, false));
  for (const field of fields) {
    const values = field.widget === "choice" ? field.choices.map((value) => ({ value })) : (known[field.name] ?? []);
    found.push(...having(values, typed).slice(0, MOST).map((value) => valueOption(field, value, false)));
  }
  const time = named(fields, "timeRange");
  const near = ranges.filter(({ title }) => title.toLowerCase().includes(typed.toLowerCase()));
  if (time) found.push(...near.map(({ value, title }) => ({ title, group: time.title, condition: condition(time, value) })));
  found.push(...fields.filter(({ title, name }) => name !== "q" && title.toLowerCase().includes(typed.toLowerCase())).map(fieldOption));
  return found.filter((option, index) => found.findIndex((other) => same(other, option)) === index);
}

/** @param {Option} a @param {Option} b */
const same = (a, b) => a.title === b.title && a.group === b.group;
