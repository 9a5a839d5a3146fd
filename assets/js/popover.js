// A box that hangs on a button: one at a time, closed by Escape, by a click elsewhere or by its own content. Keeps the focus inside.
import { h } from "./dom.js";

const FOCUSABLE = 'a[href], button:not([disabled]), input:not([disabled]), select, textarea, [tabindex="0"]';
const GAP = 4;

/** @type {{close: () => void} | null} */
let open = null;

/** Close the open box, if there is one. */
export const closePopover = () => open?.close();

/** @param {HTMLElement} box @param {HTMLElement} anchor @param {"start" | "end"} align */
function place(box, anchor, align) {
  const at = anchor.getBoundingClientRect();
  const left = align === "end" ? at.right - box.offsetWidth : at.left;
  const below = at.bottom + GAP;
  const top = below + box.offsetHeight > innerHeight - 8 && at.top - GAP - box.offsetHeight > 8 ? at.top - GAP - box.offsetHeight : below;
  box.style.left = `${Math.max(8, Math.min(left, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.max(8, Math.min(top, innerHeight - box.offsetHeight - 8))}px`;
}

/** The first and the last element follow each other. @param {KeyboardEvent} event @param {HTMLElement} box */
export function keepFocus(event, box) {
  const all = /** @type {HTMLElement[]} */ ([...box.querySelectorAll(FOCUSABLE)]).filter((element) => element.getClientRects().length);
  const [first, last] = [all[0], all.at(-1)];
  const from = event.shiftKey ? first : last;
  if (!first || document.activeElement !== from) return;
  event.preventDefault();
  (event.shiftKey ? last : first)?.focus();
}

/**
 * Show `content` at `anchor`. @param {HTMLElement} anchor @param {HTMLElement} content
 * @param {{label: string, align?: "start" | "end", onClose?: () => void, focus?: HTMLElement | null}} how `label` is its name for screen
 *   readers; `focus`: what has the focus at first, else the first thing that can
 * @returns {() => void} closes it
 */
export function openPopover(anchor, content, { label, align = "start", onClose, focus }) {
  open?.close();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const box = h("div", { class: "wf-popover", role: "dialog", "aria-label": label }, content);
  document.body.append(box);
  const put = () => place(box, anchor.isConnected ? anchor : document.body, align);
  const sized = new ResizeObserver(put);
  sized.observe(box);
  put();
  const close = () => {
    if (open?.close !== close) return;
    open = null;
    sized.disconnect();
    box.remove();
    document.removeEventListener("pointerdown", outside, true);
    window.removeEventListener("resize", put);
    const to = anchor.isConnected ? anchor : before;
    (to?.matches(FOCUSABLE) ? to : /** @type {HTMLElement | null | undefined} */ (to?.querySelector(FOCUSABLE)))?.focus({ preventScroll: true });
    onClose?.();
  };
  const outside = (/** @type {Event} */ event) => {
    const target = /** @type {Node} */ (event.target);
    if (!box.contains(target) && !anchor.contains(target)) close();
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Tab") keepFocus(event, box);
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  document.addEventListener("pointerdown", outside, true);
  window.addEventListener("resize", put);
  open = { close };
  (focus ?? /** @type {HTMLElement | null} */ (box.querySelector(FOCUSABLE)))?.focus({ preventScroll: true });
  return close;
}
