// Values that a field has among the executions, with how many have each, asked of the server.

/** @typedef {import("./suggest.js").Value} Value */

const PATH = "/api/v1/main/executions/distinct-field-values";
const SIZE = 200;
const FRESH_MS = 15_000;

/** @type {Map<string, {at: number, values: Promise<Value[]>}>} */
const held = new Map();

/** @param {any} answer a list of values, or of values with counts @returns {Value[]} */
export function read(answer) {
  const list = Array.isArray(answer) ? answer : (answer?.results ?? []);
  return list.map((/** @type {any} */ one) => (typeof one === "object" ? { value: String(one.value), count: one.count } : { value: String(one) }));
}

/** @param {string} url @returns {Promise<Value[]>} none when the server can't say: the field takes any text then */
async function ask(url) {
  try {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    return answer.ok ? read(await answer.json()) : [];
  } catch {
    return [];
  }
}

/** The values of a field, the most frequent first; of labels the keys as `key:`, and once one is typed its values as `key:value`.
 * @param {string} field @param {string} [filters] among what matches these @param {string} [text] that have this text
 * @returns {Promise<Value[]>} */
export async function valuesOf(field, filters = "", text = "") {
  if (field !== "labels") return fetched(field, filters, text);
  const colon = text.indexOf(":");
  if (colon < 0) return (await fetched(field, filters, text)).map(({ value, count }) => ({ value: `${value}:`, count }));
  const key = text.slice(0, colon);
  const found = await fetched(field, filters, text.slice(colon + 1), key);
  return found.map(({ value, count }) => ({ value: `${key}:${value}`, count }));
}

/** @param {string} field @param {string} filters @param {string} text @param {string} [key] @returns {Promise<Value[]>} */
function fetched(field, filters, text, key) {
  const named = { field, size: SIZE, counts: true, text, key };
  const query = Object.entries(named).filter(([, value]) => value !== "" && value !== undefined).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  const url = `${PATH}?${[...query, filters].filter(Boolean).join("&")}`;
  const known = held.get(url);
  if (known && Date.now() - known.at < FRESH_MS) return known.values;
  const values = ask(url);
  held.set(url, { at: Date.now(), values });
  if (held.size > 50) held.delete(/** @type {string} */ (held.keys().next().value));
  return values;
}
