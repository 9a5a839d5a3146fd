// What the palette offers: actions on what is selected or open, pages, saved views; and what the server finds for a text.
import { actionConfig } from "../actions/menu.js";
import { bulkEntries, entries } from "../actions/model.js";
import { request, requestMany } from "../actions/request.js";
import { go } from "../execution/links.js";
import { selection } from "../executions/selection.js";
import { all } from "../executions/saved.js";
import { count, shortId } from "../format.js";

/** @typedef {import("./ranking.js").Line} Line */

const API = "/api/v1/main";
const FOUND = 6;
const ID = /^[0-9a-z][0-9a-z:_-]{3,}$/i;

/** What can be done to the selected executions. @returns {Line[]} */
function onSelection() {
  if (!selection.count) return [];
  return bulkEntries(actionConfig(), [...selection.rows.values()]).map(({ info, title, why }) => ({
    title: `${title} …`, group: `${count(selection.count)} selected`, disabled: why, danger: info.danger, run: () => requestMany(info.action, selection.chosen),
  }));
}

/** What can be done to the execution whose page is open. @returns {Line[]} */
function onExecution() {
  const id = /^\/executions\/([^/]+)/.exec(location.pathname)?.[1];
  const header = document.querySelector("[data-wf-view=execution-header]");
  if (!id || !header) return [];
  const state = header.querySelector(".state-badge")?.getAttribute("data-state") ?? undefined;
  const { namespace } = JSON.parse(header.getAttribute("data-wf-params") ?? "{}");
  return entries(actionConfig(), { state, namespace }).map(({ info, title, why }) => ({
    title, group: "This execution", keys: info.key ?? undefined, disabled: why, danger: info.danger, run: () => request(info.action, decodeURIComponent(id)),
  }));
}

/** Pages of the rail. @returns {Line[]} */
function pages() {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".wf-rail-link"));
  return [...links].map((link) => ({ title: link.textContent?.trim() ?? "", group: "Pages", run: () => go(link.href) }));
}

/** @returns {Line[]} */
const views = () => all().map(({ id, name, owner, shared }) => ({
  title: name, group: "Saved views", detail: shared ? `shared by ${owner}` : "", run: () => go(`/executions?view=${encodeURIComponent(id)}`),
}));

/** @returns {Line[]} */
const page = () => [
  { title: "Keyboard sheet", group: "Watchfloor", keys: "?", run: () => document.getElementById("keys-button")?.click() },
  { title: "Switch between light and dark", group: "Watchfloor", words: "theme", run: () => /** @type {HTMLElement | null} */ (document.querySelector('[aria-label="Theme"]'))?.click() },
];

/** What needs no server. @returns {Line[]} */
export const known = () => [...onSelection(), ...onExecution(), ...pages(), ...views(), ...page()];

/** @param {string} text @returns {Line} */
export const searchLine = (text) => ({
  title: `Executions with “${text}”`, group: "Search", always: true, run: () => go(`/executions?filters[q][EQUALS]=${encodeURIComponent(text)}`),
});

/** @param {string} path @param {AbortSignal} signal @returns {Promise<any[]>} */
async function results(path, signal) {
  const answer = await fetch(API + path, { headers: { Accept: "application/json" }, signal });
  return answer.ok ? ((await answer.json()).results ?? []) : [];
}

/** Flows and executions that a text finds. @param {string} text @param {AbortSignal} signal @returns {Promise<Line[]>} */
export async function found(text, signal) {
  const query = encodeURIComponent(text);
  const [flows, executions] = await Promise.all([
    results(`/flows/search?q=${query}&size=${FOUND}`, signal),
    ID.test(text) ? results(`/executions/search?filters[q][EQUALS]=${query}&size=${FOUND}`, signal) : [],
  ]);
  return [
    ...flows.map(({ namespace, id }) => ({
      title: id, group: "Flows", detail: namespace, always: true, run: () => go(`/flows/${encodeURIComponent(namespace)}/${encodeURIComponent(id)}`),
    })),
    ...executions.map(({ id, flowId, namespace, state }) => ({
      title: `${flowId} ${shortId(id)}`, group: "Executions", detail: `${state?.current ?? ""} · ${namespace}`, always: true, run: () => go(`/executions/${encodeURIComponent(id)}`),
    })),
  ];
}
