// Where the list is: its address is the truth, and every change of the view is a change of the address.
import { format, parse } from "./address.js";
import { all, expanded, first } from "./saved.js";

/** @typedef {import("./address.js").View} View */

const LIST = "/executions";
const MOVED = "_dashprivate_pushstate"; // what Dash's links and Location tell each other

/** @returns {View} what the address names */
export const here = () => parse(location.search);

/** An address that says nothing, or only which saved view it is, is read as a saved view: this one is meant as it is.
 * @param {View} view */
function searchOf(view) {
  const text = format(view);
  if (text === "") return first() ? `?sort=${view.sort}` : "";
  return /^\?view=[^&]*$/.test(text) ? `${text}&sort=${view.sort}` : text;
}

/** An address that stands for a saved view takes that view's words: called before a page reads it. */
export function settle() {
  const meant = location.pathname === LIST ? expanded(location.search, all()) : null;
  if (meant === null || meant === location.search) return;
  history.replaceState({}, "", location.pathname + meant);
  window.dispatchEvent(new CustomEvent(MOVED));
}

/** Go to another view of the same page; `replace` leaves no step for the Back button (typing, dragging).
 * @param {View} view @param {{replace?: boolean}} [how] */
export function show(view, { replace = false } = {}) {
  const search = searchOf(view);
  if (search === location.search) return;
  history[replace ? "replaceState" : "pushState"]({}, "", location.pathname + search);
  window.dispatchEvent(new CustomEvent(MOVED));
}

/** Change the view, from its first page on unless a page is named. @param {Partial<View>} change @param {{replace?: boolean}} [how] */
export const change = (change, how) => show({ ...here(), page: 1, ...change }, how);

/** @param {() => void} moved called whenever the address names another view of this page @returns {() => void} stops */
export function onPlace(moved) {
  const page = location.pathname;
  let known = location.search;
  const check = () => {
    if (location.pathname !== page || location.search === known) return;
    settle();
    if (location.search === known) return;
    known = location.search;
    moved();
  };
  window.addEventListener("popstate", check);
  window.addEventListener(MOVED, check);
  return () => {
    window.removeEventListener("popstate", check);
    window.removeEventListener(MOVED, check);
  };
}
