// Keys that act: the table of actions says which. `.` opens the menu of all. They ask as the buttons do.
import { actionConfig } from "./menu.js";
import { ofKey, whyNot } from "./model.js";
import { request } from "./request.js";

/** Whether somebody is writing, or a dialog is open: then keys are not ours. @param {EventTarget | null} target */
export function busy(target) {
  const element = /** @type {HTMLElement | null} */ (target);
  if (element?.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable=true]")) return true;
  return document.querySelector("[role=dialog], .wf-menu") !== null;
}

/**
 * Listen on an execution's page. @param {() => {id: string, seen: import("./model.js").Seen}} looked @param {() => void} openMenu
 * @returns {() => void} stops listening
 */
export function listenToActionKeys(looked, openMenu) {
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
    const info = ofKey(actionConfig(), event.key);
    if (!info && event.key !== ".") return;
    event.preventDefault();
    const { id, seen } = looked();
    if (!info) openMenu();
    else if (whyNot(info, seen, actionConfig()) === null) request(info.action, id);
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
