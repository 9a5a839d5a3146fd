// What the header of a task run's lines says: from the execution's task runs and the lines' counts.
import { duration, ticking, valueText } from "../format.js";
import { isTerminal } from "../states.js";
import { workedFor } from "../gantt/bars.js";

/** @typedef {import("../execution/fold.js").Model} Model */
/** @typedef {import("./book.js").Group} Group */

/** @param {string} key the task run's id @param {Group | undefined} group @param {Model} model @param {number} now @param {boolean} open
 * @returns {import("./rows.js").Head} */
export function headOf(key, group, model, now, open) {
  const run = model.tasks.get(key);
  const ms = run ? workedFor(run, now) : NaN;
  const tries = run?.attempts?.length ?? 0;
  return {
    task: run?.task_id ?? group?.task ?? "",
    value: run ? valueText(run) : "",
    state: run?.state ?? null,
    time: Number.isNaN(ms) || !run ? "" : isTerminal(run.state) ? duration(ms) : ticking(ms),
    lines: group?.lines.total ?? 0,
    errors: group?.errors ?? 0,
    open,
    note: tries > 1 ? `${tries} tries` : "",
  };
}

/** Task runs that may write lines and have none yet: those that run now and hold no others.
 * @param {Model} model @returns {string[]} */
export function quietRuns(model) {
  const parents = new Set([...model.tasks.values()].map((run) => run.parent_id));
  const runs = [...model.tasks.values()].filter((run) => run.state === "RUNNING" && !parents.has(run.id) && !run.progress);
  return runs.map((run) => run.id).slice(0, 200);
}

/** Which groups start open: all while they are few; then the failed ones and those that run. @param {Model} model @param {string} key @param {number} groups */
export function startsOpen(model, key, groups) {
  if (groups <= 25) return true;
  const state = model.tasks.get(key)?.state;
  return state === undefined || state === "FAILED" || !isTerminal(state);
}

/** @param {Model} model @returns {string[]} task ids in the order of their first start */
export function taskNames(model) {
  const runs = [...model.tasks.values()].filter((run) => !run.progress);
  return [...new Set(runs.map((run) => run.task_id))];
}
