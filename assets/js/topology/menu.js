// The menu of a node.
import { copyText } from "../dom.js";
import { go, logsUrl, tabPath } from "../execution/links.js";

/** @typedef {import("./sum.js").Sum} Sum */
/** @typedef {import("../execution/fold.js").TaskRun} TaskRun */
/** @typedef {import("../execution/popup.js").Item} Item */

/** Go to the first error line of a failed task run. @param {string} id the execution's @param {TaskRun} run */
export function openError(id, run) {
  const find = (run.error ?? run.attempts?.find((attempt) => attempt.error)?.error ?? "").split("\n", 1)[0].trim().slice(0, 80);
  go(logsUrl(id, find ? { taskRun: run.id, find } : { taskRun: run.id, level: "ERROR" }));
}

/** @param {import("./sum.js").NodeData & {label: string}} node @param {Sum | null} sum @param {string | undefined} id @returns {Item[]} */
export function nodeMenu(node, sum, id) {
  const copy = { label: "Copy the task's id", hint: node.kind === "task" ? node.id : undefined, run: () => void copyText(node.id) };
  if (!id) return [copy];
  const none = sum ? undefined : "It has not run.";
  const states = sum && sum.total > 1 ? sum.states.map(([state, n]) => `${n} ${state.toLowerCase()}`).join(", ") : undefined;
  return [
    { label: "Logs of this task", hint: states, disabled: none, run: () => go(logsUrl(id, { task: node.id })) },
    { label: "In the Gantt", disabled: none, run: () => go(`${tabPath(id, "gantt")}?task=${encodeURIComponent(node.id)}`) },
    ...(sum?.failed ? [{ label: "First error in the logs", run: () => openError(id, /** @type {TaskRun} */ (sum.failed)) }] : []),
    null,
    copy,
  ];
}
