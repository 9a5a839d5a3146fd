// The box in which one condition is edited: its operator and its values. Each change holds at once.
import { h } from "../dom.js";
import { openPopover } from "../popover.js";
import { LISTS, fieldOf, withOp } from "./fields.js";
import { valueList } from "./valuelist.js";
import { valuesOf } from "./values.js";

/** @typedef {import("./address.js").Condition} Condition */
/** @typedef {import("./fields.js").Field} Field */
/** @typedef {{fields: Field[], condition: Condition, filters: string, change: (condition: Condition) => void, remove: () => void,
 *   or?: () => void, done?: () => void}} Edit `filters`: what the other conditions leave; `or`: add an alternative */

const WAIT_MS = 250;
const PICKED = new Set(["EQUALS", "NOT_EQUALS", "IN", "NOT_IN"]);

/** Local time as the browser's control has it, from and to ISO 8601 in UTC. @param {string} iso */
export function localOf(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? "" : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** @param {string} local */
export const isoOf = (local) => (local ? new Date(local).toISOString().replace(".000Z", "Z") : "");

/** @param {Field} field @param {Condition} now @param {(op: string) => void} changed */
function operators(field, now, changed) {
  const select = h("select", { class: "wf-op", "aria-label": "Operator" }, ...field.ops.map(([op, text]) => h("option", { value: op, selected: op === now.op }, text)));
  select.addEventListener("change", () => changed(select.value));
  return select;
}

/** A text that holds a moment after it was typed. @param {string} label @param {string} hint @param {string} value
 * @param {(text: string) => void} changed @param {() => void} done @param {string} [type] */
function typed(label, hint, value, changed, done, type = "text") {
  const input = h("input", { class: "wf-popover-input", type, placeholder: hint, "aria-label": label, value, autocomplete: "off", spellcheck: "false" });
  let timer = 0;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => changed(input.value), WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    clearTimeout(timer);
    changed(input.value);
    done();
  });
  return { element: h("div", { class: "wf-value-list" }, input), input };
}

/** What is chosen of a field whose values are listed. @param {Field} field @param {() => Condition} now @param {(next: Condition) => void} set
 * @param {string} filters @param {() => void} done */
function picker(field, now, set, filters, done) {
  const label = field.widget === "label";
  const list = valueList({
    label: field.title, hint: label ? "key:value" : field.hint || "search", many: LISTS.has(now().op), states: field.name === "state",
    free: field.widget !== "choice",
    chosen: () => (label ? now().values.map((value) => `${now().key}:${value}`).filter((value) => value !== ":") : now().values),
    change: (values) => set(label ? labelled(now(), values) : { ...now(), values }),
    more: (text) => void (field.widget === "choice" || fetched(text)),
    done,
  });
  let asked = 0;
  const fetched = async (/** @type {string} */ text) => {
    const turn = (asked += 1);
    const values = await valuesOf(field.name, filters, text);
    if (turn === asked) list.show(values);
  };
  list.show(field.choices.map((value) => ({ value })));
  if (field.widget !== "choice") void fetched(label && now().key ? `${now().key}:` : "");
  else if (field.suggests) void counted(field, filters, list.show);
  return list;
}

/** The fixed values of a field with how many have them. @param {Field} field @param {string} filters
 * @param {(values: import("./suggest.js").Value[]) => void} show */
async function counted(field, filters, show) {
  const found = new Map((await valuesOf(field.name, filters)).map(({ value, count }) => [value, count]));
  if (found.size) show(field.choices.map((value) => ({ value, count: found.get(value) ?? 0 })));
}

/** Values of a label belong to one key: that of the newest. @param {Condition} old @param {string[]} values */
function labelled(old, values) {
  const pairs = values.map((value) => [value.slice(0, value.indexOf(":")), value.slice(value.indexOf(":") + 1)]).filter(([key]) => key);
  const key = pairs.at(-1)?.[0] ?? old.key ?? "";
  return { ...old, key, values: pairs.filter(([own]) => own === key).map(([, value]) => value) };
}

/** @param {Field} field @param {() => Condition} now @param {(next: Condition) => void} set @param {string} filters @param {() => void} done */
function control(field, now, set, filters, done) {
  const [value = ""] = now().values;
  const one = (/** @type {string} */ text) => set({ ...now(), values: text ? [text] : [] });
  if (field.widget === "date") return typed(field.title, "", localOf(value), (text) => one(isoOf(text)), done, "datetime-local");
  if (field.widget === "label" && !PICKED.has(now().op)) {
    const text = now().key ? `${now().key}:${value}` : "";
    return typed(field.title, "key:part of the value", text, (text) => text.includes(":") && set(labelled(now(), [text])), done);
  }
  if (field.widget === "text" || !PICKED.has(now().op)) return typed(field.title, field.hint, now().values.join(","), one, done);
  return picker(field, now, set, filters, done);
}

/** Open the box at a chip. @param {HTMLElement} anchor @param {Edit} edit */
export function openEditor(anchor, edit) {
  const field = fieldOf(edit.fields, edit.condition.field);
  let now = edit.condition;
  const set = (/** @type {Condition} */ next) => {
    now = next;
    edit.change(next);
  };
  const body = h("div", { class: "wf-editor-body" });
  const draw = () => {
    const made = control(field, () => now, set, edit.filters, () => close());
    body.replaceChildren(made.element);
    return made.input;
  };
  const other = (/** @type {string} */ op) => {
    set(withOp(now, op));
    draw().focus();
  };
  const remove = () => (close(), edit.remove());
  const or = () => (close(), edit.or?.());
  const foot = h("footer", { class: "wf-editor-foot" }, h("button", { type: "button", class: "wf-link-button", onclick: remove }, "Remove"),
    h("span", { class: "wf-spring" }), edit.or && h("button", { type: "button", class: "wf-link-button", onclick: or, title: "This or something else" }, "Or …"));
  const head = h("header", { class: "wf-editor-head" }, h("b", {}, field.title), operators(field, now, other));
  const focus = draw();
  const close = openPopover(anchor, h("div", { class: "wf-editor" }, head, body, foot), { label: `Filter ${field.title}`, onClose: edit.done, focus });
  return close;
}
