// Keys of the table: j k move, x select, a the page and then all, Enter open, e first error, n new on top; those of the actions are in their table. The filter's `/` belongs to the page.

/** @param {EventTarget | null} target whether somebody is writing, or a dialog is open */
function busy(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  if (element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]")) return true;
  return document.querySelector("[role=dialog], .wf-menu") !== null;
}

/** @param {any} table @returns {() => void} stops listening */
export function listenToKeys(table) {
  /** @type {{[key: string]: () => void}} */
  const actions = {
    j: () => table.move(1),
    k: () => table.move(-1),
    x: () => table.toggle(),
    a: () => table.takeAll(),
    e: () => table.firstError(),
    n: () => table.release(),
    Enter: () => table.open(),
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
    const onButton = /** @type {Element} */ (event.target)?.closest?.("button, a");
    if (event.key === "Enter" && onButton) return;
    const action = actions[event.key];
    if (!action && !table.act(event.key)) return;
    event.preventDefault();
    action?.();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
