// Where things are: tabs of an execution and places in its logs, as addresses that can be shared.
import { setProps } from "../dom.js";

/** @typedef {{task?: string, taskRun?: string, attempt?: number, level?: string, view?: string, find?: string, line?: number}} LogPlace */

/** @type {[keyof LogPlace, string][]} */
const NAMES = [["task", "task"], ["taskRun", "taskRun"], ["attempt", "attempt"], ["level", "level"], ["view", "view"], ["find", "find"]];

/** Query string of a place in the logs, with the `?`, or empty. @param {LogPlace} place */
export function logSearch(place) {
  const query = new URLSearchParams();
  for (const [key, name] of NAMES) if (place[key] !== undefined && place[key] !== "") query.set(name, String(place[key]));
  const text = query.toString();
  return text && `?${text}`;
}

/** The place in the logs that an address names. @param {string} search @param {string} hash @returns {LogPlace} */
export function logPlace(search, hash) {
  const query = new URLSearchParams(search);
  /** @type {any} */
  const place = {};
  for (const [key, name] of NAMES) if (query.get(name)) place[key] = query.get(name);
  if (place.attempt) place.attempt = Number(place.attempt);
  const line = /^#L(\d+)/.exec(hash);
  if (line) place.line = Number(line[1]);
  return place;
}

/** @param {string} id @param {string} tab */
export const tabPath = (id, tab) => `/executions/${encodeURIComponent(id)}/${tab}`;

/** @param {string} id @param {LogPlace} place */
export const logsUrl = (id, place) => `${tabPath(id, "logs")}${logSearch(place)}${place.line ? `#L${place.line}` : ""}`;

/** What of an error line to look for in the logs: its first line, cut. @param {string} text */
export const firstWords = (text) => text.split("\n", 1)[0].trim().slice(0, 80);

/** Go to an address without loading the app anew. A view that shows it already is told by the event `wf:goto`. @param {string} url */
export function go(url) {
  const { pathname, search, hash } = new URL(url, location.href);
  setProps("url", { pathname, search, hash });
  window.dispatchEvent(new CustomEvent("wf:goto", { detail: { pathname, search, hash } }));
}

/** A link that goes there inside the app; with a modifier key the browser does as always. @param {HTMLAnchorElement} link */
export function internal(link) {
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0 || !link.href) return;
    event.preventDefault();
    go(link.href);
  });
  return link;
}
