// How far the flowable task runs are, counted from their children: the wire only says how many there will be.
import { isTerminal } from "../states.js";

/** @typedef {import("./fold.js").TaskRun} TaskRun */
/** @typedef {{total: number, started: number, ended: number, failed: number}} Progress `failed` of the ended ones */

const BAD = new Set(["FAILED", "KILLED", "CANCELLED"]);
const isBad = (/** @type {TaskRun} */ run) => BAD.has(run.state);

/** @param {TaskRun[]} children of one value of a ForEach @param {number} tasks how many a value has */
function valueEnded(children, tasks) {
  const all = children.every((child) => isTerminal(child.state));
  return all && (children.some(isBad) || children.length >= tasks);
}

/** @param {TaskRun[]} children of a ForEach @param {number} total @returns {Progress} */
function ofValues(children, total) {
  /** @type {Map<number, TaskRun[]>} */
  const byValue = new Map();
  for (const child of children) {
    const list = byValue.get(child.iteration ?? 0);
    if (list) list.push(child);
    else byValue.set(child.iteration ?? 0, [child]);
  }
  const tasks = new Set(children.map((child) => child.task_id)).size;
  const ended = [...byValue.values()].filter((list) => valueEnded(list, tasks));
  return { total, started: byValue.size, ended: ended.length, failed: ended.filter((list) => list.some(isBad)).length };
}

/**
 * Of each task run that holds others: how many children, or values of a ForEach, it has and how many ended.
 * @param {Iterable<TaskRun>} runs @returns {Map<string, Progress>} by the task run's id
 */
export function progressOf(runs) {
  /** @type {Map<string, TaskRun[]>} */
  const children = new Map();
  /** @type {TaskRun[]} */
  const parents = [];
  for (const run of runs) {
    if (run.progress) parents.push(run);
    if (!run.parent_id) continue;
    const list = children.get(run.parent_id);
    if (list) list.push(run);
    else children.set(run.parent_id, [run]);
  }
  return new Map(parents.map((run) => [run.id, ofParent(run, children.get(run.id) ?? [])]));
}

/** @param {TaskRun} run @param {TaskRun[]} children @returns {Progress} */
function ofParent(run, children) {
  const total = run.progress?.total ?? 0;
  if (run.progress?.values?.length) return ofValues(children, total);
  const round = run.progress?.iteration;
  const plain = children.filter((child) => (child.branch ?? "TASKS") === "TASKS" && (round === undefined || child.iteration === round));
  const ended = plain.filter((child) => isTerminal(child.state));
  return { total: Math.max(total, plain.length), started: plain.length, ended: ended.length, failed: ended.filter(isBad).length };
}
