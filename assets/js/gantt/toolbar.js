// Above the Gantt: search, states with their counts, zoom.
import { h, setText } from "../dom.js";
import { count, plural } from "../format.js";
import { stateBadge, stateInfo } from "../states.js";

/** @typedef {{filter: (text: string, states: Set<string>) => void, zoom: (factor: number) => void, fit: () => void,
 *   fold: (close: boolean) => void}} Handlers */

/** @param {Handlers} handlers */
export function toolbar(handlers) {
  /** @type {Set<string>} */
  const chosen = new Set();
  const search = h("input", { type: "search", class: "wfx-input", placeholder: "Find a task, value or error", "aria-label": "Find a task" });
  const tell = () => handlers.filter(search.value, chosen);
  search.addEventListener("input", tell);
  const chips = h("div", { class: "gantt-chips", role: "group", "aria-label": "States" });
  const sum = h("span", { class: "gantt-sum" });
  const tool = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ run) =>
    h("button", { type: "button", class: "wfx-button icon", title, "aria-label": title, onclick: run }, text);
  const element = h(
    "div",
    { class: "gantt-tools" },
    search,
    chips,
    sum,
    h("span", { class: "wfx-spring" }),
    tool("▾", "Open all", () => handlers.fold(false)),
    tool("▸", "Close all", () => handlers.fold(true)),
    h("span", { class: "wfx-gap" }),
    tool("−", "Zoom out (Ctrl + wheel)", () => handlers.zoom(1.6)),
    tool("+", "Zoom in (Ctrl + wheel, or drag across the bars)", () => handlers.zoom(1 / 1.6)),
    h("button", { type: "button", class: "wfx-button", title: "The whole execution (double click)", onclick: handlers.fit }, "Fit"),
  );
  let shown = "";
  return {
    element,
    search,
    /** @param {Map<string, number>} counts @param {number} rows @param {number} total */
    show(counts, rows, total) {
      setText(sum, rows === total ? plural(total, "task run") : `${count(rows)} of ${plural(total, "task run")}`);
      const key = [...counts, ...chosen].join();
      if (key === shown) return;
      shown = key;
      const states = [...new Set([...counts.keys(), ...chosen])].sort((a, b) => stateInfo(b).severity - stateInfo(a).severity);
      chips.replaceChildren(...states.map((state) => chip(state, counts.get(state) ?? 0, chosen, tell)));
    },
  };
}

/** @param {string} state @param {number} n @param {Set<string>} chosen @param {() => void} tell */
function chip(state, n, chosen, tell) {
  const press = () => {
    if (!chosen.delete(state)) chosen.add(state);
    tell();
  };
  const props = { type: "button", class: "gantt-chip", "aria-pressed": String(chosen.has(state)), "data-token": stateInfo(state).token };
  return h("button", { ...props, title: `${state}: show only these`, onclick: press }, stateBadge(state, { small: true }), count(n));
}
