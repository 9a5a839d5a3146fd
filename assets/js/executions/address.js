// Which rows the page asks for: what the layout says, and on the list's own page the address, which is the truth.
import { setProps } from "../dom.js";

/** @typedef {{filters: string, sort: string, page: number, size: number}} Ask */

const STATE = "filters[state][IN]";

/** @param {any} params @returns {Ask} */
export function askOf({ filters = "", sort = "startDate:desc", page = 1, size = 50 }) {
  return { filters, sort, page, size };
}

/** @param {Ask} a @param {Ask} b */
export const sameAsk = (a, b) => JSON.stringify(askOf(a)) === JSON.stringify(askOf(b));

/** The states that filters ask for; empty: all. @param {string} filters wire form */
export function statesOf(filters) {
  return (new URLSearchParams(filters).get(STATE) ?? "").split(",").filter(Boolean);
}

/** The same filters, for any state. @param {string} filters wire form */
export function withoutStates(filters) {
  return filters.split("&").filter((part) => part && decodeURIComponent(part.split("=")[0]) !== STATE).join("&");
}

/** The other direction of a sort, or the first one of another column. @param {string} sort @param {string} name */
export function nextSort(sort, name) {
  if (sort === `${name}:desc`) return `${name}:asc`;
  return `${name}:desc`;
}

/**
 * Ask for something else. On `/executions` the address changes and the rest follows from it; elsewhere only the view does.
 * @param {Ask} ask what is asked for now @param {Partial<Ask>} change @param {(ask: Ask) => void} local
 */
export function change(ask, change, local) {
  if (location.pathname !== "/executions" || !window.wfFilters) return local({ ...ask, ...change });
  const { parse, format } = window.wfFilters;
  return setProps("url", { search: format({ ...parse(location.search), ...change }) });
}
