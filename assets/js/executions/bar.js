// View `filter-bar`: the filters as chips, and a field that makes new ones. The address is the truth; every change goes there.
// Params: {fixed, fields, ranges, columns}; the element is empty. The server's refusal comes by the event `wf:refused`.
import { h, setAttr } from "../dom.js";
import { askOf, datesOf, filtersOf, partOf } from "./address.js";
import { chip } from "./chip.js";
import { columnButton } from "./columnmenu.js";
import { combo } from "./combo.js";
import { add, branch, drop, listOf, put, tidy } from "./conditions.js";
import { openEditor } from "./editor.js";
import { condition, fieldOf, isTime } from "./fields.js";
import { here, onPlace, settle, show } from "./place.js";
import { openPopover } from "../popover.js";
import { timeButton } from "./timerange.js";
import { valueList } from "./valuelist.js";

/** @typedef {import("./address.js").View} View */
/** @typedef {import("./conditions.js").Place} Place */

export class FilterBar {
  /** @param {HTMLElement} element @param {any} params */
  constructor(element, params) {
    this.element = element;
    this.params = params;
    settle();
    this.view = here();
    this.editing = false;
    /** @type {string | null} */
    this.error = null;
    /** @type {{at: Place, chip: ReturnType<typeof chip>}[]} */
    this.chips = [];
    this.shape = "";
    this.combo = combo({
      fields: params.fields, ranges: params.ranges, filters: () => params.fixed ?? "", take: (option) => this.take(option),
      back: () => /** @type {HTMLElement | undefined} */ (this.chips.at(-1)?.chip.element.querySelector("button"))?.focus(),
    });
    this.time = timeButton(params.ranges);
    this.area = h("div", { class: "wf-bar-chips" });
    this.clear = h("button", { type: "button", class: "wf-link-button wf-bar-clear", onclick: () => this.clearAll() }, "Clear");
    const box = h("div", { class: "wf-bar-box" }, h("i", { class: "wf-icon wf-icon-search", "aria-hidden": "true" }), this.area, this.combo.list);
    this.area.append(this.combo.input);
    box.append(this.clear, h("kbd", { "aria-hidden": "true" }, "/"));
    box.addEventListener("pointerdown", (event) => event.target === this.area && (event.preventDefault(), this.combo.input.focus()));
    element.append(box, this.time.element, columnButton(params.columns));
    const refused = (/** @type {Event} */ event) => this.refused(/** @type {CustomEvent} */ (event).detail);
    window.addEventListener("wf:refused", refused);
    const left = onPlace(() => this.moved());
    this.stop = () => (left(), window.removeEventListener("wf:refused", refused));
    this.draw();
  }

  // -- what is shown

  moved() {
    this.time.show();
    if (!this.editing) this.view = here();
    this.draw();
  }

  /** @param {string | null} error the server's words: the part it is about, a colon, what is wrong */
  refused(error) {
    this.error = error;
    this.draw();
  }

  draw() {
    const { view, params } = this;
    const shape = JSON.stringify([view.conditions.map((one) => isTime(one, datesOf(view))), view.groups.map((group) => group.length)]);
    if (shape !== this.shape) this.build();
    this.shape = shape;
    for (const { at, chip: one } of this.chips) {
      const own = listOf(view, at.group)[at.index];
      const part = partOf(own, at.group ?? undefined);
      const error = this.error?.startsWith(`${part}:`) ? this.error.slice(part.length + 1).trim() : null;
      one.show(own, params.fields, params.ranges, error);
    }
    this.time.show();
    const any = filtersOf(view) !== "";
    this.clear.hidden = !any;
    this.combo.input.placeholder = any ? "" : "Filter by anything, or search";
    setAttr(this.element, "data-filtered", any ? "" : null);
  }

  build() {
    const { view } = this;
    this.chips = [];
    const made = view.conditions.map((one, index) => (isTime(one, datesOf(view)) ? null : this.chipAt({ group: null, index })));
    const group = view.groups.length ? this.groupOf() : null;
    this.area.replaceChildren(...made.filter((one) => one !== null), ...(group ? [group] : []), this.combo.input);
  }

  /** @param {Place} at */
  chipAt(at) {
    const made = chip({ edit: (element) => this.edit(at, element), remove: () => this.remove(at) });
    this.chips.push({ at, chip: made });
    return made.element;
  }

  groupOf() {
    const { groups } = this.view;
    const alternative = (/** @type {any} */ list, /** @type {number} */ group) => h("span", { class: "wf-alternative" },
      ...list.map((/** @type {any} */ _, /** @type {number} */ index) => this.chipAt({ group, index })),
      this.adder("and", "And also", group));
    const parts = groups.flatMap((list, index) => [index ? h("i", {}, "or") : null, alternative(list, index)]);
    return h("span", { class: "wf-group", role: "group", "aria-label": "Any of" }, ...parts, this.adder("or …", "Or something else", groups.length));
  }

  /** @param {string} text @param {string} label @param {number} group */
  adder(text, label, group) {
    const button = h("button", { type: "button", class: "wf-adder", title: label, "aria-label": label }, text === "and" ? "+" : text);
    button.addEventListener("click", () => this.chooseField(button, (field) => this.begin({ group, index: (this.view.groups[group] ?? []).length }, field)));
    return button;
  }

  // -- what people do

  /** @param {import("./suggest.js").Option} option */
  take(option) {
    if (option.condition) {
      show({ ...add(here(), option.condition), page: 1 });
      this.combo.input.focus({ preventScroll: true });
      return;
    }
    if (!option.field) return;
    if (option.field.widget === "range") this.time.element.click();
    else this.begin({ group: null, index: this.view.conditions.length }, option.field);
  }

  /** A new chip, with its editor open. @param {Place} at @param {import("./fields.js").Field} field */
  begin(at, field) {
    this.view = put(this.view, at, condition(field));
    this.editing = true;
    this.draw();
    const made = this.chips.find(({ at: { group, index } }) => group === at.group && index === at.index);
    if (made) this.edit(at, made.chip.element);
  }

  /** @param {Place} at @param {HTMLElement} element */
  edit(at, element) {
    this.editing = true;
    const own = listOf(this.view, at.group)[at.index];
    let stepped = false;
    openEditor(element, {
      fields: this.params.fields,
      condition: own,
      filters: askOf({ ...(at.group === null ? drop(this.view, at) : { ...this.view, groups: [] }), rest: [] }, this.params.fixed).filters,
      change: (next) => {
        this.view = { ...put(this.view, at, next), page: 1 };
        show(tidy(this.view), { replace: stepped });
        stepped = true;
        this.draw();
      },
      remove: () => this.remove(at),
      or: at.group === null && !this.view.groups.length && own.values.length ? () => this.fork(at) : undefined,
      done: () => this.leave(),
    });
  }

  leave() {
    this.editing = false;
    this.view = here();
    this.draw();
  }

  /** A chip becomes one of two alternatives: what is the other? @param {Place} at */
  fork(at) {
    this.editing = true;
    this.view = branch(this.view, at.index);
    this.draw();
    /** @type {HTMLElement | null} */ (this.area.querySelector(".wf-group > .wf-adder"))?.click();
  }

  /** @param {HTMLElement} anchor @param {(field: import("./fields.js").Field) => void} chosen */
  chooseField(anchor, chosen) {
    const fields = this.params.fields.filter((/** @type {any} */ { widget }) => widget !== "range");
    let name = "";
    const list = valueList({
      label: "Field", hint: "field", many: false, states: false, free: false, chosen: () => [], more: undefined,
      change: ([title]) => (name = fields.find((/** @type {any} */ field) => field.title === title)?.name ?? ""), done: () => close(),
    });
    const close = openPopover(anchor, h("div", { class: "wf-editor" }, list.element), {
      label: "Choose a field", onClose: () => (name ? chosen(fieldOf(fields, name)) : this.leave()), focus: list.input,
    });
    list.show(fields.map((/** @type {any} */ { title }) => ({ value: title })));
  }

  /** @param {Place} at */
  remove(at) {
    this.editing = false;
    this.view = { ...drop(this.view, at), page: 1 };
    show(this.view);
    this.draw();
    this.combo.input.focus({ preventScroll: true });
  }

  clearAll() {
    show({ ...here(), conditions: [], groups: [], rest: [], page: 1 });
    this.combo.input.focus({ preventScroll: true });
  }

  unmount() {
    this.stop();
    this.element.replaceChildren();
  }
}
