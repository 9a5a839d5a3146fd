// Menus of actions: the same items in the header, in rows, at the Gantt's rows and at the topology's nodes.
import { pageConfig } from "../dom.js";
import { openMenu } from "../execution/popup.js";
import { entries, taskEntries } from "./model.js";
import { request } from "./request.js";

/** @typedef {import("./model.js").Entry} Entry */
/** @typedef {import("./model.js").Seen} Seen */
/** @typedef {import("../execution/popup.js").Item} Item */

const WIDTH = 250; // px of a menu of actions

/** @type {import("./model.js").Config | null} */
let config = null;

/** The server's table, read once. @returns {import("./model.js").Config} */
export const actionConfig = () => (config ??= pageConfig());

/** Items with a line between groups. @param {Entry[]} shown @param {(info: Entry["info"]) => void} press @returns {Item[]} */
export function items(shown, press) {
  return shown.flatMap(({ info, title, why }, index) => {
    const line = index > 0 && info.group !== null && shown[index - 1].info.group !== info.group;
    const item = {
      label: title,
      icon: info.icon,
      action: info.action,
      hint: info.key ?? undefined,
      danger: info.danger,
      disabled: why,
      run: () => press(info),
    };
    return line ? [null, item] : [item];
  });
}

/** Everything that can be asked of an execution. @param {string} id @param {Seen} seen @returns {Item[]} */
export const executionItems = (id, seen) => items(entries(actionConfig(), seen), (info) => request(info.action, id));

/** What can be asked of one of its task runs. @param {string} id @param {Seen} seen @param {{id: string, state: string}} run @returns {Item[]} */
export function taskItems(id, seen, run) {
  const shown = taskEntries(actionConfig(), seen, run.state).map((entry) => ({ ...entry, info: { ...entry.info, key: null } }));
  return items(shown, (info) => request(info.action, id, run.id)).filter(Boolean);
}

/** The menu of all actions below a button. @param {HTMLElement} button @param {Item[]} shown @param {string} title @param {() => void} [closed] */
export function menuBelow(button, shown, title, closed) {
  const box = button.getBoundingClientRect();
  button.setAttribute("aria-expanded", "true");
  return openMenu({ x: box.right - WIDTH, y: box.bottom + 4 }, shown, title, () => {
    button.setAttribute("aria-expanded", "false");
    closed?.();
  });
}
