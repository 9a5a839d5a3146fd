// What each node of the graph shows: its task runs, rolled up. Values in, values out.
import { isTerminal, stateInfo } from "../states.js";

/** @typedef {import("../execution/fold.js").TaskRun} TaskRun */
/** @typedef {{state: string, total: number, ended: number, states: [string, number][], failed: TaskRun | null, runs: number}} Sum
 *  `total` children or runs are known, `ended` of them are terminal; `states` counts them, the worst first */
/** @typedef {{id: string, kind: string, task?: string, members?: string[]}} NodeData */

/** The one state of several runs: what still moves wins, then the worst. @param {[string, number][]} states the worst first */
export function oneState(states) {
  const moving = states.filter(([state]) => !isTerminal(state));
  const order = ["RUNNING", "KILLING", "RETRYING", "PAUSED"];
  const first = order.find((state) => moving.some(([name]) => name === state));
  return first ?? moving[0]?.[0] ?? states[0][0];
}

/** @param {TaskRun[]} runs at least one @returns {Sum} */
export function sumOf(runs) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const run of runs) counts.set(run.state, (counts.get(run.state) ?? 0) + 1);
  const states = [...counts].sort(([a], [b]) => stateInfo(b).severity - stateInfo(a).severity);
  const failed = runs.find((run) => run.state === "FAILED") ?? runs.find((run) => run.attempts?.some((attempt) => attempt.state === "FAILED")) ?? null;
  const ended = runs.filter((run) => isTerminal(run.state)).length;
  return { state: oneState(states), total: runs.length, ended, states, failed, runs: runs.length };
}

/** @param {Iterable<TaskRun>} runs @returns {Map<string, TaskRun[]>} by task id */
export function byTask(runs) {
  /** @type {Map<string, TaskRun[]>} */
  const found = new Map();
  for (const run of runs) {
    const list = found.get(run.task_id);
    if (list) list.push(run);
    else found.set(run.task_id, [run]);
  }
  return found;
}

/**
 * The sum of a node; null while none of its tasks has run. One flowable run counts its children (values of a ForEach).
 * @param {NodeData} node @param {Map<string, TaskRun[]>} runs by task id
 * @param {Map<string, import("../execution/progress.js").Progress>} progress by task run @returns {Sum | null}
 */
export function nodeSum(node, runs, progress) {
  const ids = node.kind === "group" ? node.members ?? [] : [node.id];
  const own = ids.flatMap((id) => runs.get(id) ?? []);
  if (!own.length) return null;
  const sum = sumOf(own);
  const known = own.length === 1 && own[0].progress?.values?.length ? progress.get(own[0].id) : undefined;
  if (known) return { ...sum, total: known.total, ended: known.ended, states: valueStates(known) };
  return node.kind === "group" ? { ...sum, total: Math.max(ids.length, sum.total) } : sum;
}

/** The states of a ForEach's values. @param {import("../execution/progress.js").Progress} progress @returns {[string, number][]} */
function valueStates({ started, ended, failed }) {
  /** @type {[string, number][]} */
  const all = [["FAILED", failed], ["SUCCESS", ended - failed], ["RUNNING", started - ended]];
  return all.filter(([, n]) => n > 0);
}

/** How far a node with several runs is: `3 / 8`; empty for one. @param {Sum | null} sum */
export const progressText = (sum) => (sum && sum.total > 1 ? `${sum.ended} / ${sum.total}` : "");

/**
 * How a path is drawn: taken, running along it now, not taken (only known after the end), or not yet.
 * @param {Sum | null | undefined} source undefined: not a task (a join) @param {Sum | null | undefined} target @param {boolean} ended whether the execution is
 * @returns {"taken" | "running" | "unused" | "open"}
 */
export function edgeState(source, target, ended) {
  if (source === null || target === null) return ended ? "unused" : "open";
  if (target && (target.state === "RUNNING" || target.state === "RETRYING")) return "running";
  if (target) return "taken";
  return source && isTerminal(source.state) ? "taken" : "open";
}

/** @typedef {{x: number, y: number, w: number, h: number}} Rect `x` and `y` are its middle */

/** How large everything can be drawn in a box. @param {Rect[]} rects @param {number[]} box width and height */
export function fitZoom(rects, [width, height]) {
  const extent = (/** @type {"x" | "y"} */ at, /** @type {"w" | "h"} */ size) =>
    Math.max(...rects.map((rect) => rect[at] + rect[size] / 2)) - Math.min(...rects.map((rect) => rect[at] - rect[size] / 2));
  return Math.min(width / extent("x", "w"), height / extent("y", "h"));
}
