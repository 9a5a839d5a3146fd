// How the page asks for an action: one request, whichever button, menu or key it came from. The server answers by a dialog or at once.
import { setProps } from "../dom.js";

/** @typedef {import("../executions/selection.js").Chosen} Chosen */

/** Ask for an action on one execution, or on one of its task runs. @param {string} action @param {string} id @param {string} [taskRun] */
export function request(action, id, taskRun) {
  setProps("action-request", { data: { action, ids: [id], taskRun: taskRun ?? null, at: Date.now() } });
}

/** Ask for an action on many, as one operation. @param {string} action @param {Chosen} chosen */
export function requestMany(action, chosen) {
  setProps("action-request", { data: { action, ...chosen, many: true, at: Date.now() } });
}
