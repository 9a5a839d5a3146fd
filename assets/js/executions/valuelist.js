// A list of values to choose one or several of, with a field that narrows it: by pointer or by ↑ ↓ and Enter.
import { h, setAttr } from "../dom.js";
import { count } from "../format.js";
import { stateBadge } from "../states.js";
import { having } from "./suggest.js";

/** @typedef {import("./suggest.js").Value} Value */

const MOST = 200; // drawn at once

/** @param {Value} value @param {boolean} states */
const face = ({ value }, states) => (states ? stateBadge(value) : h("span", { class: "wf-value-word" }, value));

/** The key of a label, whose value is yet to be chosen. @param {string} value */
const begins = (value) => /^[^:]+:$/.test(value);

/**
 * @param {{label: string, hint: string, many: boolean, states: boolean, free: boolean, chosen: () => string[], change: (values: string[]) => void,
 *   more?: (text: string) => void, done: () => void}} how `free`: what is typed may be a value; `more`: told what is typed; `done`: Enter on one
 * @returns {{element: HTMLElement, input: HTMLInputElement, show: (values: Value[]) => void}}
 */
export function valueList({ label, hint, many, states, free, chosen, change, more, done }) {
  const input = h("input", { class: "wf-popover-input", type: "text", placeholder: hint, "aria-label": label, role: "combobox", "aria-expanded": "true", autocomplete: "off", spellcheck: "false" });
  const list = h("div", { class: "wf-values", role: "listbox", "aria-label": label, "aria-multiselectable": String(many) });
  /** @type {Value[]} */
  let all = [];
  /** @type {Value[]} */
  let shown = [];
  let active = 0;
  const first = new Set(chosen()); // what was chosen when the box opened stands on top and stays there

  const toggle = (/** @type {string} */ value) => {
    if (begins(value)) return complete(value);
    const now = chosen();
    if (many) change(now.includes(value) ? now.filter((one) => one !== value) : [...now, value]);
    else change([value]);
    draw();
  };
  const complete = (/** @type {string} */ value) => {
    input.value = value;
    active = 0;
    more?.(value);
    draw();
  };
  const draw = () => {
    const text = input.value.trim();
    const missing = chosen().filter((value) => !all.some((one) => one.value === value)).map((value) => ({ value }));
    const top = [...missing, ...all].sort((a, b) => Number(first.has(b.value)) - Number(first.has(a.value)));
    shown = having(top, text).slice(0, MOST);
    if (free && text && !shown.some(({ value }) => value === text)) shown.push({ value: text });
    active = Math.max(0, Math.min(active, shown.length - 1));
    list.replaceChildren(...shown.map(line), ...(shown.length ? [] : [h("p", { class: "wf-values-none" }, free ? "Type a value." : "No such value.")]));
    mark();
  };
  const line = (/** @type {Value} */ value, /** @type {number} */ index) => {
    const on = chosen().includes(value.value);
    return h("div", { class: "wf-value", role: "option", id: `wf-value-${index}`, "aria-selected": String(on), onclick: () => (toggle(value.value), many || begins(value.value) || done()) },
      h("i", { class: many ? "wf-tick" : "wf-tick one", "aria-hidden": "true" }), face(value, states), value.count !== undefined && h("span", { class: "wf-value-count" }, count(value.count)));
  };
  const mark = () => {
    [...list.querySelectorAll(".wf-value")].forEach((element, index) => setAttr(element, "data-active", index === active ? "" : null));
    setAttr(input, "aria-activedescendant", shown.length ? `wf-value-${active}` : null);
    list.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => {
    active = 0;
    more?.(input.value.trim());
    draw();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      active = (active + step + shown.length) % shown.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      const value = shown[active]?.value;
      if (value !== undefined) toggle(value);
      if (value !== undefined && begins(value)) return;
      if (!many || event.ctrlKey) done();
      input.value = "";
      draw();
    }
  });
  return {
    element: h("div", { class: "wf-value-list" }, input, list),
    input,
    show(values) {
      all = values;
      draw();
    },
  };
}
