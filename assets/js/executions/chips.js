// The chips that count executions by state, over the filters without their states, so that they say where to go.
import { setAttr, setText } from "../dom.js";
import { count } from "../format.js";
import { statesOf } from "./address.js";

/** @param {HTMLElement} element holds chips with `data-state`, each with a `[data-wf-count]` */
export function chips(element) {
  const all = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[data-state]")]);
  return {
    /** @param {{[state: string]: number}} counts */
    show(counts) {
      const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
      for (const chip of all) {
        const n = chip.dataset.state === "ALL" ? total : (counts[chip.dataset.state ?? ""] ?? 0);
        const number = chip.querySelector("[data-wf-count]");
        if (number) setText(number, count(n));
        setAttr(chip, "data-empty", n ? null : "");
      }
    },
    /** @param {string} filters */
    press(filters) {
      const states = statesOf(filters);
      for (const chip of all) {
        const state = chip.dataset.state ?? "";
        setAttr(chip, "aria-pressed", String(state === "ALL" ? states.length === 0 : states.includes(state)));
      }
    },
  };
}
