// The button of the time range: presets, or from … until.
import { h, setText } from "../dom.js";
import { openPopover } from "../popover.js";
import { isoOf, localOf } from "./editor.js";
import { timeOf, timeWords, withTime } from "./fields.js";
import { change, here } from "./place.js";

/** @typedef {import("./fields.js").Range} Range */

const DATES = [["", "started"], ["END_DATE", "ended"], ["START_OR_END_DATE", "started or ended"]];

/** @param {Range[]} ranges @param {() => void} close */
function presets(ranges, close) {
  const { conditions } = here();
  const { range, from, until } = timeOf(conditions);
  const all = [{ value: "", title: "Any time" }, ...ranges];
  return h("div", { class: "wf-times", role: "listbox", "aria-label": "Presets" }, ...all.map(({ value, title }) => {
    const on = from || until ? false : range === value;
    const press = () => (close(), change({ conditions: withTime(here().conditions, { range: value }) }));
    return h("button", { type: "button", role: "option", class: "wf-menu-line", "aria-selected": String(on), onclick: press }, title);
  }));
}

/** @param {string} label @param {string} value */
const moment = (label, value) => h("label", { class: "wf-time-field" }, h("span", {}, label),
  h("input", { class: "wf-popover-input", type: "datetime-local", value: localOf(value), "aria-label": label }));

/** @param {() => void} close */
function custom(close) {
  const { from, until } = timeOf(here().conditions);
  const [first, last] = [moment("From", from), moment("Until", until)];
  const error = h("p", { class: "wf-chip-error", role: "alert" });
  const value = (/** @type {HTMLElement} */ field) => isoOf(/** @type {HTMLInputElement} */ (field.querySelector("input")).value);
  const apply = () => {
    const [start, end] = [value(first), value(last)];
    if (start && end && start >= end) return setText(error, "From must be before until.");
    close();
    return change({ conditions: withTime(here().conditions, { from: start, until: end }) });
  };
  return h("form", { class: "wf-time-custom", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), apply()) },
    first, last, error, h("button", { type: "submit", class: "wfx-button primary" }, "Apply"));
}

/** Which date of an execution the range is about. @param {boolean} offered */
function which(offered) {
  if (!offered) return null;
  const now = here().rest.find(([name]) => name === "dateFilter")?.[1] ?? "";
  const select = h("select", { class: "wf-op", "aria-label": "Which date" }, ...DATES.map(([value, text]) => h("option", { value, selected: value === now }, text)));
  select.addEventListener("change", () => {
    const rest = here().rest.filter(([name]) => name !== "dateFilter");
    change({ rest: select.value ? [...rest, ["dateFilter", select.value]] : rest });
  });
  return h("label", { class: "wf-time-which" }, h("span", {}, "Executions that"), select);
}

/** @param {Range[]} ranges @param {boolean} dates whether the server takes another date than the start's */
export function timeButton(ranges, dates) {
  const word = h("span", {}, "Any time");
  const button = h("button", { type: "button", class: "wf-tool", "aria-haspopup": "dialog", "data-wf-time-button": "" },
    h("i", { class: "wf-icon wf-icon-clock", "aria-hidden": "true" }), word, h("i", { class: "wf-icon wf-icon-chevron-down", "aria-hidden": "true" }));
  button.addEventListener("click", () => {
    const content = h("div", { class: "wf-timebox" });
    const close = openPopover(button, content, { label: "Time range", align: "end" });
    content.append(presets(ranges, () => close()), h("div", { class: "wf-time-side" }, custom(() => close()), which(dates)));
    /** @type {HTMLElement | null} */ (content.querySelector('[aria-selected="true"]'))?.focus();
  });
  return {
    element: button,
    show() {
      const { conditions } = here();
      setText(word, timeWords(conditions, ranges));
      button.classList.toggle("on", conditions.some((one) => one.field === "timeRange" || one.field === "startDate"));
    },
  };
}
