// The menu of a node.
import { actionConfig, taskItems } from "../actions/menu.js";
import { taskEntries } from "../actions/model.js";
import { copyText } from "../dom.js";
import { firstWords, go, logsUrl, tabPath } from "../execution/links.js";

/** @typedef {import("./sum.js").Sum} Sum */
/** @typedef {import("../execution/fold.js").TaskRun} TaskRun */
/** @typedef {import("../execution/popup.js").Item} Item */

/** Go to the first error line of a failed task run. @param {string} id the execution's @param {TaskRun} run */
export function openError(id, run) {
  const find = firstWords(run.error ?? run.attempts?.find((attempt) => attempt.error)?.error ?? "");
  go(logsUrl(id, find ? { taskRun: run.id, find } : { taskRun: run.id, level: "ERROR" }));
}

/** What can be asked of a node's task run; where it has several, the Gantt has a row for each.
 * @param {string} id the execution's @param {import("../actions/model.js").Seen} seen @param {TaskRun[]} runs @returns {Item[]} */
function actionsOf(id, seen, runs) {
  if (runs.length === 1) return taskItems(id, seen, runs[0]);
  const why = runs.length ? `It has ${runs.length} task runs: choose one in the Gantt.` : "It has not run.";
  return taskEntries(actionConfig(), seen, "").map(({ info, title }) => ({ label: title, icon: info.icon, action: info.action, disabled: why }));
}

/** @param {import("./sum.js").NodeData & {label: string}} node @param {Sum | null} sum @param {string | undefined} id
 * @param {import("../actions/model.js").Seen} [seen] the execution @param {TaskRun[]} [runs] the node's @returns {Item[]} */
export function nodeMenu(node, sum, id, seen = {}, runs = []) {
  const copy = { label: "Copy the task's id", hint: node.kind === "task" ? node.id : undefined, run: () => void copyText(node.id) };
  if (!id) return [copy];
  const none = sum ? undefined : "It has not run.";
  const states = sum && sum.total > 1 ? sum.states.map(([state, n]) => `${n} ${state.toLowerCase()}`).join(", ") : undefined;
  return [
    { label: "Logs of this task", hint: states, disabled: none, run: () => go(logsUrl(id, { task: node.id })) },
    { label: "In the Gantt", disabled: none, run: () => go(`${tabPath(id, "gantt")}?task=${encodeURIComponent(node.id)}`) },
    ...(sum?.failed ? [{ label: "First error in the logs", run: () => openError(id, /** @type {TaskRun} */ (sum.failed)) }] : []),
    ...(node.kind === "task" ? [null, ...actionsOf(id, seen, runs)] : []),
    null,
    copy,
  ];
}
