// A menu at a point and a tooltip beside the pointer; one of each a page.
import { h, setText } from "../dom.js";

/** @typedef {{label: string, hint?: string, icon?: string, action?: string, run?: () => void, danger?: boolean, disabled?: string | null} | null} Item
 *  null draws a line; `disabled` says why it can't be pressed; `action` names what it asks the server for */
/** @typedef {{close: () => void, show: (items: Item[]) => void}} Menu `show` other items, the focus stays where it is */

/** @type {Menu | null} */
let open = null;

const WHY = "What is grey says here why.";

/** Keep a box of `size` within the window. @param {number} at @param {number} size @param {number} room */
export function fit(at, size, room) {
  return Math.max(4, Math.min(at, room - size - 4));
}

/**
 * Show a menu at a point of the window; closes by Escape, by a click elsewhere or by choosing. What is greyed can be reached by the
 * keys all the same: the line below says why it is.
 * @param {{x: number, y: number, above?: boolean}} at `above`: its lower end is there @param {Item[]} items @param {Node | string} [title]
 * @param {() => void} [closed]
 * @returns {Menu}
 */
export function openMenu(at, items, title, closed) {
  open?.close();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const list = h("div", { class: "wf-menu-items" });
  const why = h("div", { class: "wf-menu-why", role: "status" });
  const element = h("div", { class: "wf-menu", role: "menu" }, title && h("div", { class: "wf-menu-title" }, title), list, why);
  const show = (/** @type {Item[]} */ shown) => {
    const place = buttonsOf(list).indexOf(/** @type {HTMLElement} */ (document.activeElement));
    list.replaceChildren(...shown.map((item) => (item ? button(item) : h("hr"))));
    why.hidden = !shown.some((item) => item?.disabled);
    buttonsOf(list)[place]?.focus();
  };
  document.body.append(element);
  show(items);
  element.style.left = `${fit(at.x, element.offsetWidth, innerWidth)}px`;
  element.style.top = `${fit(at.above ? at.y - element.offsetHeight : at.y, element.offsetHeight, innerHeight)}px`;
  const close = () => {
    if (!element.isConnected) return;
    element.remove();
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", keys, true);
    open = null;
    before?.focus?.({ preventScroll: true });
    closed?.();
  };
  const outside = (/** @type {Event} */ event) => !element.contains(/** @type {Node} */ (event.target)) && close();
  const keys = (/** @type {KeyboardEvent} */ event) => onKey(event, list, close);
  const explain = (/** @type {Event} */ event) => {
    const target = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
    setText(why, target?.dataset.why ?? WHY);
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", keys, true);
  element.addEventListener("focusin", explain);
  element.addEventListener("mouseover", explain);
  element.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest("button:not([aria-disabled])")) close();
  });
  open = { close, show };
  (buttonsOf(list).find((one) => !one.hasAttribute("aria-disabled")) ?? buttonsOf(list)[0])?.focus();
  return open;
}

/** @param {HTMLElement} list @returns {HTMLElement[]} */
const buttonsOf = (list) => [...list.querySelectorAll("button")];

/** @param {NonNullable<Item>} item */
function button({ label, hint, icon, action, run, danger, disabled }) {
  const element = h(
    "button",
    {
      type: "button",
      role: "menuitem",
      class: danger ? "danger" : null,
      "aria-disabled": disabled ? "true" : null,
      "data-why": disabled,
      "data-action": action,
      title: disabled,
    },
    icon && h("i", { class: `wf-icon wf-icon-${icon}`, "aria-hidden": "true" }),
    h("span", {}, label),
    hint && h("kbd", {}, hint),
  );
  if (run && !disabled) element.addEventListener("click", run);
  return element;
}

/** Where a key leads from a place among `count`; null: it is no such key. @param {string} key @param {number} at @param {number} count */
export function menuStep(key, at, count) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key === "ArrowDown") return (at + 1) % count;
  if (key === "ArrowUp") return at < 0 ? count - 1 : (at - 1 + count) % count;
  return null;
}

/** @param {KeyboardEvent} event @param {HTMLElement} list @param {() => void} close */
function onKey(event, list, close) {
  const buttons = buttonsOf(list);
  const step = menuStep(event.key, buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement)), buttons.length);
  const leaves = event.key === "Escape" || event.key === "Tab";
  if (step === null && !leaves) {
    if (event.key.length === 1) event.stopPropagation(); // the page's own keys wait until it is closed
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  if (step === null) close();
  else buttons[step]?.focus();
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
