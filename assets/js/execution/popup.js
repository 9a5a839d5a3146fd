// A menu at a point and a tooltip beside the pointer; one of each a page.
import { h } from "../dom.js";

/** @typedef {{label: string, hint?: string, run?: () => void, danger?: boolean, disabled?: string} | null} Item
 *  null draws a line; `disabled` says why it can't be pressed */

/** @type {{element: HTMLElement, close: () => void} | null} */
let open = null;

/** Keep a box of `size` within the window. @param {number} at @param {number} size @param {number} room */
export function fit(at, size, room) {
  return Math.max(4, Math.min(at, room - size - 4));
}

/**
 * Show a menu at a point of the window; closes by Escape, by a click elsewhere or by choosing.
 * @param {{x: number, y: number}} at @param {Item[]} items @param {Node | string} [title]
 * @returns {() => void} closes it
 */
export function openMenu(at, items, title) {
  open?.close();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const element = h("div", { class: "wf-menu", role: "menu" }, title && h("div", { class: "wf-menu-title" }, title));
  element.append(...items.map((item) => (item ? button(item) : h("hr"))));
  document.body.append(element);
  element.style.left = `${fit(at.x, element.offsetWidth, innerWidth)}px`;
  element.style.top = `${fit(at.y, element.offsetHeight, innerHeight)}px`;
  const close = () => {
    element.remove();
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", keys, true);
    open = null;
    before?.focus?.({ preventScroll: true });
  };
  const outside = (/** @type {Event} */ event) => !element.contains(/** @type {Node} */ (event.target)) && close();
  const keys = (/** @type {KeyboardEvent} */ event) => onKey(event, element, close);
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", keys, true);
  element.addEventListener("click", (event) => /** @type {Element} */ (event.target).closest("button:not([disabled])") && close());
  open = { element, close };
  /** @type {HTMLElement | null} */ (element.querySelector("button:not([disabled])"))?.focus();
  return close;
}

/** @param {NonNullable<Item>} item */
function button(item) {
  const element = h(
    "button",
    { type: "button", role: "menuitem", class: item.danger ? "danger" : null, disabled: Boolean(item.disabled), title: item.disabled },
    h("span", {}, item.label),
    item.hint && h("kbd", {}, item.hint),
  );
  if (item.run) element.addEventListener("click", item.run);
  return element;
}

/** @param {KeyboardEvent} event @param {HTMLElement} menu @param {() => void} close */
function onKey(event, menu, close) {
  if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    return close();
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return undefined;
  event.preventDefault();
  const buttons = /** @type {HTMLElement[]} */ ([...menu.querySelectorAll("button:not([disabled])")]);
  const index = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  return buttons[(index + step + buttons.length) % buttons.length]?.focus();
}

/** @type {HTMLElement | null} */
let tip = null;

/** Show a tooltip beside a point. @param {{x: number, y: number}} at @param {...(Node | string)} content */
export function showTip(at, ...content) {
  tip ??= h("div", { class: "wf-tip", role: "tooltip" });
  tip.replaceChildren(...content);
  if (!tip.isConnected) document.body.append(tip);
  const left = at.x + 14 + tip.offsetWidth > innerWidth - 4 ? at.x - 14 - tip.offsetWidth : at.x + 14;
  tip.style.transform = `translate(${fit(left, tip.offsetWidth, innerWidth)}px, ${fit(at.y + 16, tip.offsetHeight, innerHeight)}px)`;
}

/** Take the tooltip away. */
export function hideTip() {
  tip?.remove();
}
