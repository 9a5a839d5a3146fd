// Keys of the table: j k move, x select, a the page and then all, Enter open, e first error, n new on top, `.` all actions; those of the actions
// are in their table. The filter's `/` belongs to the page.
import { busy } from "../actions/keys.js";

/** @type {{[key: string]: (table: any) => void}} */
export const KEYS = {
  j: (table) => table.move(1),
  k: (table) => table.move(-1),
  x: (table) => table.toggle(),
  a: (table) => table.takeAll(),
  e: (table) => table.firstError(),
  n: (table) => table.release(),
  ".": (table) => table.menu(),
  Enter: (table) => table.open(),
};

/** @param {any} table @returns {() => void} stops listening */
export function listenToKeys(table) {
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
    const onButton = /** @type {Element} */ (event.target)?.closest?.("button, a");
    if (event.key === "Enter" && onButton) return;
    const action = KEYS[event.key];
    if (!action && !table.act(event.key)) return;
    event.preventDefault();
    action?.(table);
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
