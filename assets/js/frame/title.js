// Writes the tab's title and icon.
import { stateInfo, glyphMarkup } from "../states.js";
import { titleOf, worstOf } from "./worst.js";

const EVERY_MS = 1_000; // a title that changes with each frame costs more than it tells

/** @type {Map<object, {[state: string]: number}>} */
const shown = new Map();
/** @type {any} */
let soon = null;
let page = "";
let written = "";
/** @type {string | null} */
let plainIcon = null;

/** Say what a view shows, by state; `null` when it is gone. @param {object} view @param {{[state: string]: number} | null} counts */
export function showWorst(view, counts) {
  if (counts) shown.set(view, counts);
  else shown.delete(view);
  soon ??= setTimeout(() => {
    soon = null;
    write();
  }, EVERY_MS);
}

function write() {
  if (document.title !== written) page = document.title;
  const worst = worstOf(shown.values(), (state) => stateInfo(state).severity);
  const title = titleOf(worst, page || "Watchfloor");
  if (title !== document.title) document.title = title;
  written = document.title;
  writeIcon(worst?.state ?? null);
}

/** @param {string | null} state */
function writeIcon(state) {
  const link = /** @type {HTMLLinkElement | null} */ (document.getElementById("wf-favicon"));
  if (!link || link.dataset.state === (state ?? "")) return;
  plainIcon ??= link.getAttribute("href");
  link.dataset.state = state ?? "";
  if (state === null) return void (plainIcon && link.setAttribute("href", plainIcon));
  const style = getComputedStyle(document.documentElement);
  const colour = style.getPropertyValue(`--state-${stateInfo(state).token}`).trim() || "#f2495c";
  link.setAttribute("href", `data:image/svg+xml,${encodeURIComponent(glyphMarkup(state, colour, "#ffffff"))}`);
}

/** Follow changes of the page's own title. */
export function watchTitle() {
  const element = document.querySelector("title");
  if (element) new MutationObserver(() => document.title !== written && write()).observe(element, { childList: true });
}
