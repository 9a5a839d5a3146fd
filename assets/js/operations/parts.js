// What the list and the page of an operation share: badge, bar of progress, title, requests.
import { h, pageConfig, setAttr, setStyle, setText } from "../dom.js";
import { count } from "../format.js";
import { setBadge, stateBadge } from "../states.js";
import { LOOKS, tally } from "./model.js";

/** @typedef {import("./model.js").Operation} Operation */

const BASE = "/api/v1/main/operations";
/** @type {["done", "refused", "unknown"]} */
const PARTS = ["done", "refused", "unknown"];

/** The badge of an operation's state or a result: the look of the execution's state that means the same.
 * @param {string} word */
export function badge(word) {
  return showBadge(stateBadge(LOOKS[word] ?? "CREATED"), word);
}

/** @param {HTMLElement} element @param {string} word */
export function showBadge(element, word) {
  setBadge(element, LOOKS[word] ?? "CREATED");
  setText(element.children[1], word);
  element.title = word;
  return element;
}

/** @param {string} action @returns {{title: string, icon: string}} */
export function looks(action) {
  const found = pageConfig().actions?.find((/** @type {any} */ one) => one.action === action);
  return { title: found?.title ?? action, icon: found?.icon ?? "bolt" };
}

/** @param {string} name */
export const icon = (name) => h("i", { class: `wf-icon wf-icon-${name}`, "aria-hidden": "true" });

/** A bar with a part for each result. @returns {{element: HTMLElement, show: (operation: Operation) => void}} */
export function bar() {
  const parts = PARTS.map((name) => h("i", { "data-part": name }));
  const element = h("div", { class: "wf-ops-bar", role: "progressbar", "aria-valuemin": "0" }, ...parts);
  return {
    element,
    show(operation) {
      const sums = tally(operation);
      PARTS.forEach((name, index) => setStyle(parts[index], { "--share": (sums[name] / Math.max(1, sums.total)).toFixed(4) }));
      setAttr(element, "aria-valuemax", String(sums.total));
      setAttr(element, "aria-valuenow", String(sums.total - sums.left));
      setAttr(element, "data-state", operation.state);
      element.title = `${count(sums.done)} done, ${count(sums.refused)} refused, ${count(sums.unknown)} unknown, ${count(sums.left)} left`;
    },
  };
}

/** @param {string} id @param {string} what @param {{[name: string]: string | number}} query */
export function address(id, what, query = {}) {
  const text = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)])).toString();
  return `${BASE}/${encodeURIComponent(id)}${what}${text && `?${text}`}`;
}

/**
 * Ask the API. @param {string} url @param {{method?: string, signal?: AbortSignal}} [how]
 * @returns {Promise<{body: any, error: string}>} the error's words are for people
 */
export async function ask(url, how = {}) {
  try {
    const answer = await fetch(url, { ...how, headers: { accept: "application/json" } });
    const body = await answer.json();
    return { body, error: answer.ok ? "" : String(body?.message ?? answer.status) };
  } catch (error) {
    return { body: null, error: how.signal?.aborted ? "" : `The server can't be reached: ${error}` };
  }
}
