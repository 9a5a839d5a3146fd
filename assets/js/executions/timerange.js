// The button of the time range: presets, or from … until.
import { h, setText } from "../dom.js";
import { openPopover } from "../popover.js";
import { isoOf, localOf } from "./editor.js";
import { datesOf } from "./address.js";
import { isTime, timeOf, timeWords, withTime } from "./fields.js";
import { change, here } from "./place.js";

/** @typedef {import("./fields.js").Range} Range */

const DATES = [["", "started"], ["END_DATE", "ended"], ["START_OR_END_DATE", "started or ended"]];

/** @param {Range[]} ranges @param {() => void} close */
function presets(ranges, close) {
  const { range, from, until } = timeOf(here().conditions, datesOf(here()));
  const all = [{ value: "", title: "Any time" }, ...ranges];
  return h("div", { class: "wf-times", role: "listbox", "aria-label": "Presets" }, ...all.map(({ value, title }) => {
    const on = from || until ? false : range === value;
    const press = () => (close(), change({ conditions: withTime(here().conditions, { range: value }, datesOf(here())) }));
    return h("button", { type: "button", role: "option", class: "wf-menu-line", "aria-selected": String(on), onclick: press }, title);
  }));
}

/** @param {string} label @param {string} value */
const moment = (label, value) => h("label", { class: "wf-time-field" }, h("span", {}, label),
  h("input", { class: "wf-popover-input", type: "datetime-local", value: localOf(value), "aria-label": label }));

/** @param {() => void} close */
function custom(close) {
  const { from, until } = timeOf(here().conditions, datesOf(here()));
  const [first, last] = [moment("From", from), moment("Until", until)];
  const error = h("p", { class: "wf-chip-error", role: "alert" });
  const value = (/** @type {HTMLElement} */ field) => isoOf(/** @type {HTMLInputElement} */ (field.querySelector("input")).value);
  const apply = () => {
    const [start, end] = [value(first), value(last)];
    if (start && end && start >= end) return setText(error, "From must be before until.");
    close();
    return change({ conditions: withTime(here().conditions, { from: start, until: end }, datesOf(here())) });
  };
  return h("form", { class: "wf-time-custom", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), apply()) },
    first, last, error, h("button", { type: "submit", class: "wfx-button primary" }, "Apply"));
}

/** Which date of an execution the range is about. */
function which() {
  const before = datesOf(here());
  const select = h("select", { class: "wf-op", "aria-label": "Which date" }, ...DATES.map(([value, text]) => h("option", { value, selected: value === before }, text)));
  select.addEventListener("change", () => {
    const { conditions, rest } = here();
    /** @type {[string, string][]} */
    const others = rest.filter(([name]) => name !== "dateFilter");
    const now = datesOf(here());
    change({
      conditions: withTime(conditions, timeOf(conditions, now), select.value, now),
      rest: select.value ? [...others, ["dateFilter", select.value]] : others,
    });
  });
  return h("label", { class: "wf-time-which" }, h("span", {}, "Executions that"), select);
}

/** @param {Range[]} ranges */
export function timeButton(ranges) {
  const word = h("span", {}, "Any time");
  const button = h("button", { type: "button", class: "wf-tool", "aria-haspopup": "dialog", "data-wf-time-button": "" },
    h("i", { class: "wf-icon wf-icon-clock", "aria-hidden": "true" }), word, h("i", { class: "wf-icon wf-icon-chevron-down", "aria-hidden": "true" }));
  button.addEventListener("click", () => {
    const content = h("div", { class: "wf-timebox" });
    const close = openPopover(button, content, { label: "Time range", align: "end" });
    content.append(presets(ranges, () => close()), h("div", { class: "wf-time-side" }, custom(() => close()), which()));
    /** @type {HTMLElement | null} */ (content.querySelector('[aria-selected="true"]'))?.focus();
  });
  return {
    element: button,
    show() {
      const [{ conditions }, dates] = [here(), datesOf(here())];
      setText(word, timeWords(conditions, ranges, dates));
      button.classList.toggle("on", conditions.some((one) => isTime(one, dates)));
    },
  };
}
