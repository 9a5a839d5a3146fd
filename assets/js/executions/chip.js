// A chip: one condition in words, with a button that takes it away.
import { h, setAttr, setText } from "../dom.js";
import { words } from "./fields.js";

/** @typedef {import("./address.js").Condition} Condition */
/** @typedef {import("./fields.js").Field} Field */
/** @typedef {import("./fields.js").Range} Range */

/** @param {{edit: (element: HTMLElement) => void, remove: () => void}} does
 * @returns {{element: HTMLElement, show: (condition: Condition, fields: Field[], ranges: Range[], error: string | null) => void}} */
export function chip({ edit, remove }) {
  const parts = { title: h("b"), op: h("span", { class: "wf-chip-op" }), value: h("em") };
  const body = h("button", { type: "button", class: "wf-chip-body", "aria-haspopup": "dialog" }, parts.title, parts.op, parts.value);
  const cross = h("button", { type: "button", class: "wf-chip-remove", tabindex: "-1" }, h("i", { class: "wf-icon wf-icon-close", "aria-hidden": "true" }));
  const element = h("span", { class: "wf-chip" }, body, cross);
  body.addEventListener("click", () => edit(element));
  cross.addEventListener("click", remove);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Delete" && event.key !== "Backspace") return;
    event.preventDefault();
    remove();
  });
  return {
    element,
    show(condition, fields, ranges, error) {
      const { title, op, value, whole } = words(condition, fields, ranges);
      setText(parts.title, title);
      setText(parts.op, op);
      setText(parts.value, value || "…");
      setAttr(element, "data-field", condition.field);
      setAttr(element, "data-error", error);
      setAttr(body, "aria-invalid", error ? "true" : null);
      body.title = error ?? `${title} ${op} ${whole}`;
      body.setAttribute("aria-label", `${title} ${op} ${whole}${error ? `: ${error}` : ""}`);
      cross.setAttribute("aria-label", `Remove the filter ${title}`);
    },
  };
}
