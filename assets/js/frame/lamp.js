// View `lamp`: whether what the page shows is true now, and if not, why. The element is empty.
import { h, setAttr, setText } from "../dom.js";
import { lampText } from "./lampstate.js";

/** @param {HTMLElement} element @param {any} params @param {any} live */
export function lamp(element, params, live) {
  const parts = {
    word: h("b", { class: "wf-lamp-word" }),
    age: h("span", { class: "wf-lamp-age" }),
    problems: h("span", { class: "wf-lamp-problems" }),
    notes: h("span", { class: "wf-lamp-notes" }),
  };
  element.replaceChildren(h("i", { class: "wf-lamp-dot", "aria-hidden": "true" }), ...Object.values(parts));
  const stop = live.onStatus((/** @type {import("../live/types.js").Status} */ status) => {
    const text = lampText(status, Date.now());
    setAttr(element, "data-phase", status.phase);
    setText(parts.word, text.word);
    setText(parts.age, text.age);
    setText(parts.problems, text.problems);
    setText(parts.notes, text.notes);
    setAttr(element, "title", text.title);
    setAttr(document.documentElement, "data-live", status.phase);
  });
  return { unmount: stop };
}
