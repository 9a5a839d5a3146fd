// The chips that count executions by state, over the filters without their states, so that they say where to go.
import { setAttr, setText } from "../dom.js";
import { count } from "../format.js";

/** @param {HTMLElement} element holds chips with `data-state`, each with a `[data-wf-count]`
 * @param {(states: string[]) => void} choose called with the states that are to be shown; none: all */
export function chips(element, choose) {
  /** @type {string[]} */
  let pressed = [];
  const click = (/** @type {Event} */ event) => {
    const chip = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-state]"));
    const state = chip?.dataset.state;
    if (!state) return;
    if (state === "ALL") choose([]);
    else choose(pressed.includes(state) ? pressed.filter((one) => one !== state) : [...pressed, state]);
  };
  element.addEventListener("click", click);
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
    /** @param {string[]} states */
    press(states) {
      pressed = states;
      for (const chip of all) {
        const state = chip.dataset.state ?? "";
        setAttr(chip, "aria-pressed", String(state === "ALL" ? states.length === 0 : states.includes(state)));
      }
    },
    remove: () => element.removeEventListener("click", click),
  };
}
