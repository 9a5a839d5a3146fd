// The elements of the Gantt: tools and axis that stay, the body that scrolls.
import { h, setStyle } from "../dom.js";
import { tickText } from "./axis.js";
import { toolbar } from "./toolbar.js";

/** Pixels of the tools and the axis, which stay while the rows scroll; the style sheet has the same. */
export const HEAD = 84;

/** @param {HTMLElement} element @param {import("./toolbar.js").Handlers} handlers */
export function shell(element, handlers) {
  const tools = toolbar(handlers);
  const axis = h("div", { class: "gantt-axis" });
  const edge = h("div", { class: "gantt-edge", hidden: true });
  const list = h("div", { class: "gantt-rows" });
  const body = h("div", { class: "gantt-body" }, list, edge);
  const empty = h("p", { class: "wfx-empty", hidden: true });
  const head = h("div", { class: "gantt-head" }, tools.element, h("div", { class: "gantt-axis-row" }, axis));
  element.classList.add("gantt");
  element.prepend(head);
  element.append(body, empty);
  return {
    ...{ tools, axis, edge, list, body, empty, head },
    /** @param {number[]} marks @param {[number, number]} range @param {number} start @param {number} step */
    showAxis(marks, range, start, step) {
      const tick = (/** @type {number} */ at) => {
        const text = tickText(at, start, step);
        const share = (at - range[0]) / (range[1] - range[0]);
        const words = share < 0.95 ? [h("b", {}, text.offset), h("i", {}, text.time)] : [];
        return h("span", { style: { left: `${share * 100}%` } }, ...words);
      };
      axis.replaceChildren(...marks.map(tick));
    },
    /** The live edge at a share of the axis. @param {number} share @param {boolean} shown */
    showEdge(share, shown) {
      edge.hidden = !shown || share < 0 || share > 1;
      setStyle(edge, { transform: `translateX(${(share * axis.clientWidth).toFixed(1)}px)` });
    },
    remove() {
      for (const part of [head, body, empty]) part.remove();
      element.classList.remove("gantt");
    },
  };
}
