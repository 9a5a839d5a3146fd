// Saved views as the server has them; the rail's element holds them from the start, so that an address is read without a request.
import { format, parse } from "./address.js";

/** @typedef {{id: string, name: string, owner: string, shared: boolean, query: string, pinned: boolean, default: boolean}} Saved */

const PATH = "/api/v1/main/views";

/** @type {Saved[] | null} */
let held = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** All that the person sees. @returns {Saved[]} */
export function all() {
  held ??= JSON.parse(document.getElementById("saved-views")?.dataset.wfViews ?? "[]");
  return /** @type {Saved[]} */ (held);
}

/** @param {string} id @returns {Saved | undefined} */
export const find = (id) => all().find((view) => view.id === id);

/** What the list opens with. @returns {Saved | undefined} */
export const first = () => all().find((view) => view.default);

/** @param {() => void} listener called when views changed @returns {() => void} stops */
export function onSaved(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {Saved[]} views */
function keep(views) {
  held = views;
  for (const listener of [...listeners]) listener();
}

/** @param {string} method @param {string} path @param {object} [body] */
async function request(method, path, body) {
  const headers = { Accept: "application/json", ...(body ? { "Content-Type": "application/json" } : {}) };
  const answer = await fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  const said = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(said?.message ?? `The server answered ${answer.status}.`);
  return said;
}

/** Ask the server what there is now: others share views too. */
export async function refresh() {
  keep(await request("GET", PATH));
}

/** Make a view. @param {Partial<Saved> & {name: string}} view @returns {Promise<Saved>} */
export async function create(view) {
  const made = await request("POST", PATH, view);
  await refresh();
  return made;
}

/** @param {string} id @param {Partial<Saved>} changes @returns {Promise<Saved>} */
export async function update(id, changes) {
  const changed = await request("PUT", `${PATH}/${encodeURIComponent(id)}`, changes);
  await refresh();
  return changed;
}

/** @param {string} id */
export async function remove(id) {
  await request("DELETE", `${PATH}/${encodeURIComponent(id)}`);
  await refresh();
}

/** What of a view is saved: neither its page nor its own name. @param {import("./address.js").View} view */
export const queryOf = (view) => format({ ...view, page: 1, view: "" }).slice(1);

/** Whether the view is another one than what was saved. @param {import("./address.js").View} view @param {Saved} saved */
export const edited = (view, saved) => queryOf(view) !== queryOf(parse(saved.query));

/** The view that an address stands for, null when it stands for itself: one that only names a saved view, and an empty one where
 * somebody has a default. @param {string} search @param {Saved[]} views @returns {string | null} */
export function expanded(search, views) {
  const named = /^\?view=([^&]+)$/.exec(search)?.[1];
  const saved = views.find((view) => (named ? view.id === decodeURIComponent(named) : search === "" && view.default));
  return saved ? format({ ...parse(saved.query), view: saved.id }) : null;
}
