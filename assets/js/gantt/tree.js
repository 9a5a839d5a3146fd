// Task runs in tree order, and the rows of it that are shown.
import { toMs, valueText } from "../format.js";

/** @typedef {import("../execution/fold.js").TaskRun} TaskRun */
/** @typedef {{run: TaskRun, children: Node[]}} Node */
/** @typedef {{run: TaskRun, depth: number, parent: boolean, open: boolean}} Row */

/** @type {{[branch: string]: number}} */
const BRANCHES = { TASKS: 0, ERRORS: 1, FINALLY: 2, AFTER_EXECUTION: 3 };

/**
 * The tree: children in the order of their branch, iteration, first moment, then of the flow file.
 * @param {Iterable<TaskRun>} runs @param {string[]} [taskIds] the flow's task ids in the order of its file
 * @returns {Node[]} the top level
 */
export function buildTree(runs, taskIds = []) {
  const place = new Map(taskIds.map((id, index) => [id, index]));
  /** @type {Map<string, Node>} */
  const nodes = new Map();
  for (const run of runs) nodes.set(run.id, { run, children: [] });
  /** @type {Node[]} */
  const top = [];
  for (const node of nodes.values()) (nodes.get(node.run.parent_id ?? "")?.children ?? top).push(node);
  /** @param {Node[]} list */
  const sort = (list) => {
    if (list.length > 1) sortNodes(list, place);
    for (const node of list) sort(node.children);
  };
  sort(top);
  return top;
}

/** @param {Node[]} list @param {Map<string, number>} place */
function sortNodes(list, place) {
  const keyed = list.map((node) => ({ node, key: keyOf(node.run, place) }));
  keyed.sort((a, b) => compare(a.key, b.key));
  keyed.forEach(({ node }, index) => (list[index] = node));
}

/** @param {TaskRun} run @param {Map<string, number>} place @returns {(number | string)[]} */
function keyOf(run, place) {
  return [BRANCHES[run.branch ?? "TASKS"] ?? 0, run.iteration ?? -1, toMs(run.history[0]?.[1]), place.get(run.task_id) ?? 1e9, run.task_id, run.id];
}

/** @param {(number | string)[]} a @param {(number | string)[]} b */
function compare(a, b) {
  for (let i = 0; i < a.length; i += 1) {
    if (a[i] < b[i]) return -1;
    if (a[i] > b[i]) return 1;
  }
  return 0;
}

/**
 * The rows to show. With a filter: what matches and the way to it, all open.
 * @param {Node[]} tree @param {Set<string>} closed ids of the closed ones @param {((run: TaskRun) => boolean) | null} [match]
 * @returns {Row[]}
 */
export function rowsOf(tree, closed, match = null) {
  /** @type {Row[]} */
  const rows = [];
  /** @param {Node} node @param {number} depth @returns {boolean} whether it or a descendant is shown */
  const walk = (node, depth) => {
    const at = rows.length;
    const open = Boolean(match) || !closed.has(node.run.id);
    rows.push({ run: node.run, depth, parent: node.children.length > 0, open });
    let shown = !match || match(node.run);
    if (open) for (const child of node.children) shown = walk(child, depth + 1) || shown;
    if (!shown) rows.length = at;
    return shown;
  };
  for (const node of tree) walk(node, 0);
  return rows;
}

/**
 * A filter of task runs; null when it would let everything through.
 * @param {string} text in the task's id, value or error @param {Set<string>} states
 * @returns {((run: TaskRun) => boolean) | null}
 */
export function filterOf(text, states) {
  const words = text.trim().toLowerCase();
  if (!words && !states.size) return null;
  const says = (/** @type {TaskRun} */ run) => [run.task_id, valueText(run), run.id, run.error].some((part) => part?.toLowerCase().includes(words));
  return (run) => (!states.size || states.has(run.state)) && (!words || says(run));
}
