// The execution as the page knows it: a snapshot, then every item after it. Values in, values out.
import { toMs } from "../format.js";

/**
 * @typedef {[state: string, date: string]} Change one line of a status history
 * @typedef {{number: number, state: string, history?: Change[], worker_id?: string, error?: string}} Attempt
 * @typedef {{total: number, started?: number, ended?: number, verdict?: string, values?: string[], branch?: string,
 *   iteration?: number}} Progress `iteration`: the round of a LoopUntil, but for the first
 * @typedef {{id: string, task_id: string, state: string, history: Change[], parent_id?: string, value?: string, iteration?: number,
 *   branch?: string, attempts?: Attempt[], outputs?: {[key: string]: any}, error?: string, progress?: Progress,
 *   retry_at?: string, resume_at?: string, subflow_execution_id?: string}} TaskRun
 * @typedef {{id: string, version: number, namespace: string, flow_id: string, revision: number, state: string, start_date: string,
 *   changed_at: string, kind?: string, end_date?: string, labels?: {[key: string]: string}, trigger_id?: string,
 *   trigger_type?: string, parent_id?: string, original_id?: string, attempt_number?: number, error?: string,
 *   last_task?: string, schedule_date?: string, triggered_by?: string}} Row `schedule_date`: it waits until then
 * @typedef {{row: Row | null, history: Change[], tasks: Map<string, TaskRun>, answers: any[], versions: Map<string, number>,
 *   base: number, gone: boolean}} Model `base` is the snapshot's version, `versions` those of the task runs that changed since;
 *   `gone`: retention removed it, and this is the last that was known
 */

/** @returns {Model} */
export const empty = () => ({ row: null, history: [], tasks: new Map(), answers: [], versions: new Map(), base: -1, gone: false });

/** @param {{row: Row, history?: Change[], task_runs?: TaskRun[]}} snapshot @returns {Model} */
export function fromSnapshot(snapshot) {
  const tasks = new Map((snapshot.task_runs ?? []).map((run) => [run.id, run]));
  return { ...empty(), row: snapshot.row, history: snapshot.history ?? [], tasks, base: snapshot.row?.version ?? -1 };
}

/** Whether a change of a task run, made at this version of the execution, is older than what is held.
 * @param {Model} model @param {string} id @param {number} version */
const outdated = (model, id, version) => version < (model.versions.get(id) ?? model.base);

/** @type {{[tag: string]: (model: Model, item: any) => string[]}} each returns the ids of task runs it changed */
const FOLDS = {
  execution(model, { row, history, answers }) {
    if (model.row && row.version < model.row.version) return [];
    model.row = row;
    if (history?.length) model.history = history;
    if (answers?.length) model.answers.push(...answers);
    return [];
  },
  task_run(model, { task_run: run, version }) {
    if (outdated(model, run.id, version)) return [];
    model.versions.set(run.id, version);
    model.tasks.set(run.id, run);
    return [run.id];
  },
  gone(model) {
    model.gone = true;
    return [];
  },
  dropped(model, { ids, version }) {
    const gone = ids.filter((/** @type {string} */ id) => !outdated(model, id, version) && model.tasks.delete(id));
    for (const id of gone) model.versions.set(id, version);
    return gone;
  },
};

/**
 * Fold one item into the model, in place: a page with ten thousand task runs can't copy them for each change.
 * What is older than what is held changes nothing.
 * @param {Model} model @param {{t: string}} item
 * @returns {string[]} ids of the task runs that changed
 */
export function fold(model, item) {
  return FOLDS[item.t]?.(model, item) ?? [];
}

/** Milliseconds from start to end; a running one counts up to the last confirmed moment.
 * @param {Row | null} row @param {number} now */
export function elapsed(row, now) {
  if (!row) return NaN;
  const start = toMs(row.start_date);
  return Math.max(0, (row.end_date ? toMs(row.end_date) : Math.max(now, start)) - start);
}

/**
 * The status history as periods: each state with its start, end (null while it lasts) and milliseconds.
 * @param {Change[]} history @param {number} now the last confirmed moment
 * @param {(state: string) => boolean} terminal
 * @returns {{state: string, from: number, to: number | null, ms: number | null}[]} the last terminal state has no length
 */
export function periods(history, now, terminal) {
  return history.map(([state, date], index) => {
    const from = toMs(date);
    const next = history[index + 1];
    if (next) return { state, from, to: toMs(next[1]), ms: toMs(next[1]) - from };
    return { state, from, to: null, ms: terminal(state) ? null : Math.max(0, now - from) };
  });
}

/**
 * The first failure: the task run whose failed attempt ended first, with its error line.
 * @param {Model} model
 * @returns {{run: TaskRun, attempt: number, error: string, at: number} | null}
 */
export function firstFailure(model) {
  let found = null;
  for (const run of model.tasks.values()) {
    for (const failure of failures(run)) if (!found || failure.at < found.at) found = failure;
  }
  return found;
}

/** @param {TaskRun} run */
function failures(run) {
  const attempts = (run.attempts ?? []).filter((attempt) => attempt.state === "FAILED");
  return attempts.map((attempt) => ({
    run,
    attempt: attempt.number,
    error: attempt.error ?? run.error ?? "",
    at: toMs(attempt.history?.at(-1)?.[1] ?? run.history.at(-1)?.[1]),
  }));
}

/**
 * Task runs per task: how many, in which states, how long together. In order of first start.
 * @param {Model} model @param {number} now @param {(state: string) => boolean} terminal
 * @returns {{task: string, total: number, states: Map<string, number>, from: number, ms: number, attempts: number, error?: string}[]}
 */
export function summary(model, now, terminal) {
  /** @type {Map<string, any>} */
  const byTask = new Map();
  for (const run of model.tasks.values()) {
    const entry = byTask.get(run.task_id) ?? { task: run.task_id, total: 0, states: new Map(), from: Infinity, ms: 0, attempts: 0 };
    entry.total += 1;
    entry.states.set(run.state, (entry.states.get(run.state) ?? 0) + 1);
    entry.from = Math.min(entry.from, toMs(run.history[0]?.[1]));
    entry.ms += busy(run, now, terminal);
    entry.attempts = Math.max(entry.attempts, run.attempts?.length ?? 0);
    entry.error ??= run.error;
    byTask.set(run.task_id, entry);
  }
  return [...byTask.values()].sort((a, b) => a.from - b.from);
}

/** Milliseconds a task run was RUNNING, all attempts together. @param {TaskRun} run @param {number} now @param {(state: string) => boolean} terminal */
export function busy(run, now, terminal) {
  return periods(run.history, now, terminal)
    .filter((period) => period.state === "RUNNING" || period.state === "KILLING")
    .reduce((sum, period) => sum + (period.ms ?? 0), 0);
}
