// The status history: a bar in proportion, and a line a state with when and how long.
import { h, setStyle, setText } from "../dom.js";
import { clock, day, duration, exact, ticking } from "../format.js";
import { isTerminal, stateBadge, stateInfo } from "../states.js";
import { periods } from "./fold.js";

/** @typedef {import("./fold.js").Change} Change */
/** @typedef {ReturnType<typeof periods>[number]} Period */

/** Shares of a bar: lengths in proportion, but none thinner than `least` so that it can be seen.
 * @param {number[]} lengths @param {number} [least] @returns {number[]} they sum to 1 */
export function shares(lengths, least = 0.012) {
  const total = lengths.reduce((sum, ms) => sum + ms, 0);
  if (!total) return lengths.map(() => 1 / lengths.length);
  const raised = lengths.map((ms) => Math.max(least, ms / total));
  const sum = raised.reduce((all, share) => all + share, 0);
  return raised.map((share) => share / sum);
}

/** @param {Period} period @param {boolean} last */
function lengthText(period, last) {
  if (period.ms === null) return "";
  return last ? ticking(period.ms) : duration(period.ms);
}

/** @param {Period} period */
function line(period) {
  return h(
    "li",
    {},
    stateBadge(period.state),
    h("time", { title: exact(period.from), datetime: new Date(period.from).toISOString() }, clock(period.from, true)),
    h("span", { class: "day" }, day(period.from)),
    h("span", { class: "long" }),
  );
}

/** @param {Period} period */
const piece = (period) => h("i", { "data-token": stateInfo(period.state).token, title: period.state });

/** @returns {{element: HTMLElement, show: (history: Change[], now: number) => void}} */
export function historyPanel() {
  const bar = h("div", { class: "wfx-history-bar", "aria-hidden": "true" });
  const list = h("ol", { class: "wfx-history" });
  let shown = "";
  return {
    element: h("div", {}, bar, list),
    show(history, now) {
      const all = periods(history, now, isTerminal);
      const timed = all.filter((period) => period.ms !== null);
      const key = history.map(([state, date]) => state + date).join();
      if (key !== shown) {
        shown = key;
        list.replaceChildren(...all.map(line));
        bar.replaceChildren(...timed.map(piece));
      }
      const widths = shares(timed.map((period) => period.ms ?? 0));
      widths.forEach((share, index) => setStyle(/** @type {HTMLElement} */ (bar.children[index]), { "flex-grow": share.toFixed(4) }));
      all.forEach((period, index) => {
        const long = /** @type {Element} */ (list.children[index].lastElementChild);
        setText(long, lengthText(period, index === all.length - 1));
      });
    },
  };
}
