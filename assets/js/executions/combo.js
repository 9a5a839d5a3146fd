// The text field of the filter bar with its list of completions: ↑ ↓ Enter, Escape closes.
import { h, setAttr } from "../dom.js";
import { count } from "../format.js";
import { stateBadge } from "../states.js";
import { begun, options } from "./suggest.js";
import { valuesOf } from "./values.js";

/** @typedef {import("./suggest.js").Option} Option */
/** @typedef {import("./fields.js").Field} Field */

const WAIT_MS = 120;
const LISTED = ["namespace", "flowId", "labels"]; // asked for whatever is typed

/** @param {Option} option @param {number} index */
function line(option, index) {
  const face = option.state ? stateBadge(option.state) : h("span", { class: "wf-option-word" }, option.group === "Search" ? `“${option.title}”` : option.title);
  return h("div", { class: "wf-option", role: "option", id: `wf-option-${index}`, "data-index": index }, face,
    h("span", { class: "wf-option-detail" }, option.detail ?? ""), option.count !== undefined && h("span", { class: "wf-value-count" }, count(option.count)));
}

/** @param {Option[]} found @returns {HTMLElement[]} with a heading before each kind */
function lines(found) {
  return found.flatMap((option, index) => {
    const head = option.group !== found[index - 1]?.group ? [h("div", { class: "wf-option-head", role: "presentation" }, option.group)] : [];
    return [...head, line(option, index)];
  });
}

/**
 * @param {{fields: Field[], ranges: import("./fields.js").Range[], filters: () => string, take: (option: Option) => void, back: () => void}} how
 *   `filters`: what is asked for now; `take`: one was chosen; `back`: Backspace in an empty field
 */
export function combo({ fields, ranges, filters, take, back }) {
  const list = h("div", { class: "wf-options", role: "listbox", id: "wf-filter-options", "aria-label": "Filters", hidden: true });
  const input = h("input", {
    class: "wf-bar-input", type: "search", placeholder: "Filter by anything, or search", "aria-label": "Filter executions", role: "combobox",
    "aria-expanded": "false", "aria-controls": "wf-filter-options", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
  });
  /** @type {{[field: string]: import("./suggest.js").Value[]}} */
  let known = {};
  /** @type {Option[]} */
  let found = [];
  let active = 0;
  let timer = 0;

  const mark = () => {
    for (const element of list.querySelectorAll(".wf-option")) setAttr(element, "data-active", element.id === `wf-option-${active}` ? "" : null);
    setAttr(input, "aria-activedescendant", found.length && !list.hidden ? `wf-option-${active}` : null);
    list.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    found = options(input.value, fields, known, ranges);
    active = Math.min(active, Math.max(0, found.length - 1));
    list.replaceChildren(...lines(found));
    mark();
  };
  const fetchKnown = async () => {
    const start = begun(input.value, fields);
    const label = /^[^:\s]+:/.test(input.value.trim());
    const names = start ? [start.field.name] : label ? ["labels"] : input.value.trim() ? LISTED : [];
    const text = (start ? start.rest : input.value).trim();
    const wanted = names.filter((name) => fields.some((field) => field.name === name && field.suggests && field.widget !== "choice"));
    const values = await Promise.all(wanted.map((name) => valuesOf(name, filters(), text)));
    known = { ...known, ...Object.fromEntries(wanted.map((name, index) => [name, values[index]])) };
    if (!list.hidden && wanted.length) draw();
  };
  const open = () => {
    list.hidden = false;
    setAttr(input, "aria-expanded", "true");
    draw();
    void fetchKnown();
  };
  const close = () => {
    list.hidden = true;
    setAttr(input, "aria-expanded", "false");
    setAttr(input, "aria-activedescendant", null);
  };
  const choose = (/** @type {number} */ index) => {
    const option = found[index];
    if (!option) return;
    if (option.more !== undefined) {
      input.value = option.more;
      active = 0;
      open();
      return;
    }
    input.value = "";
    known = {};
    close();
    take(option);
  };
  input.addEventListener("focus", open);
  input.addEventListener("click", () => list.hidden && open());
  input.addEventListener("blur", close);
  input.addEventListener("input", () => {
    active = 0;
    if (list.hidden) open();
    draw();
    clearTimeout(timer);
    timer = window.setTimeout(fetchKnown, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) return open();
      active = (active + step + found.length) % Math.max(1, found.length);
      mark();
    } else if (event.key === "Enter" || (event.key === "Tab" && !list.hidden && input.value)) {
      event.preventDefault();
      choose(active);
    } else if (event.key === "Escape" && (!list.hidden || input.value)) {
      event.preventDefault();
      event.stopPropagation();
      if (list.hidden) input.value = "";
      close();
    } else if (event.key === "Backspace" && !input.value) back();
  });
  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the field keeps the focus
    const target = /** @type {HTMLElement} */ (event.target).closest(".wf-option");
    if (target) choose(Number(target.getAttribute("data-index")));
  });
  return { input, list };
}
