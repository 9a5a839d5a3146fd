// The pager: which rows of how many, previous, next, rows a page.
import { h, setAttr, setText } from "../dom.js";
import { count } from "../format.js";

/** @param {number} page @param {number} size @param {number} total @returns {{from: number, to: number, pages: number}} */
export function span(page, size, total) {
  const from = total ? (page - 1) * size + 1 : 0;
  return { from: Math.min(from, total), to: Math.min(page * size, total), pages: Math.max(1, Math.ceil(total / size)) };
}

/**
 * @param {HTMLElement} element empty @param {number[]} sizes @param {(change: {page?: number, size?: number}) => void} go
 * @returns {{show: (page: number, size: number, total: number) => void}}
 */
export function pager(element, sizes, go) {
  let page = 1;
  const step = (/** @type {string} */ icon, /** @type {string} */ label, /** @type {() => number} */ to) =>
    h("button", { type: "button", "aria-label": label, title: label, onclick: () => go({ page: to() }) },
      h("i", { class: `wf-icon wf-icon-chevron-${icon}`, "aria-hidden": "true" }));
  const back = step("left", "Previous page", () => page - 1);
  const on = step("right", "Next page", () => page + 1);
  const first = h("button", { type: "button", onclick: () => go({ page: 1 }) }, "1");
  const words = h("span", { class: "wf-pager-span", "aria-live": "off" });
  const select = h("select", { "aria-label": "Rows a page" }, ...sizes.map((n) => h("option", { value: n }, `${n} a page`)));
  select.addEventListener("change", () => go({ size: Number(select.value), page: 1 }));
  element.replaceChildren(first, back, words, on, h("span", { class: "wf-spring" }), select);
  return {
    show(now, size, total) {
      page = now;
      const { from, to, pages } = span(now, size, total);
      setText(words, total ? `${count(from)}–${count(to)} of ${count(total)}` : "none");
      setAttr(back, "disabled", now <= 1 ? "" : null);
      setAttr(on, "disabled", now >= pages ? "" : null);
      setAttr(first, "hidden", now <= 1 ? "" : null);
      if (select.value !== String(size)) select.value = String(size);
    },
  };
}
