// From status histories to bars. Values in, values out; times in ms.
import { toMs } from "../format.js";

/** @typedef {import("../execution/fold.js").TaskRun} TaskRun */
/**
 * One bar: `to` is null while it grows. `attempt` counts from 1 on bars of a try; `state` gives the colour.
 * @typedef {{kind: "queued" | "run" | "paused" | "retry" | "mark", from: number, to: number | null, state: string, attempt: number}} Bar
 */

/** What is drawn while a task run is in a state; the terminal ones draw nothing.
 * @type {{[state: string]: Bar["kind"]}} */
const KINDS = {
  CREATED: "queued",
  SUBMITTED: "queued",
  QUEUED: "queued",
  RESTARTED: "queued",
  RUNNING: "run",
  KILLING: "run",
  PAUSED: "paused",
  BREAKPOINT: "paused",
  RETRYING: "retry",
};

/** Of what state a finished try is shown, by the state that followed it. @type {{[next: string]: string}} */
const VERDICT = { RETRYING: "FAILED", RETRIED: "FAILED", RESTARTED: "FAILED", CREATED: "FAILED", SUBMITTED: "RESUBMITTED" };

/**
 * The bars of a task run: waiting, each try, pauses and waits for a retry apart. CREATED then SUBMITTED is one wait, RUNNING
 * then KILLING one try.
 * @param {TaskRun} run @returns {Bar[]}
 */
export function barsOf(run) {
  /** @type {Bar[]} */
  const bars = [];
  let attempt = 0;
  run.history.forEach(([state, date], index) => {
    const kind = KINDS[state];
    if (!kind) return;
    const next = run.history[index + 1];
    const before = bars.at(-1);
    const goesOn = state === "KILLING" && before?.kind === "run" && before.to === toMs(date);
    if (kind === "run" && !goesOn) attempt += 1;
    const to = next ? toMs(next[1]) : null;
    const shown = kind === "run" ? verdict(run, attempt, state, next?.[0]) : state;
    const waitsOn = kind === "queued" && before?.kind === "queued" && before.to === toMs(date);
    if ((goesOn || waitsOn) && before) Object.assign(before, { to, state: shown });
    else bars.push({ kind, from: toMs(date), to, state: shown, attempt: kind === "run" ? attempt : 0 });
  });
  if (!bars.some((bar) => bar.kind === "run")) bars.push(...mark(run));
  return bars;
}

/** @param {TaskRun} run @param {number} attempt @param {string} state @param {string | undefined} next */
function verdict(run, attempt, state, next) {
  if (!next) return state;
  const known = run.attempts?.find((one) => one.number === attempt)?.state;
  if (known && !KINDS[known]) return known;
  return VERDICT[next] ?? (next === "KILLING" || next === "PAUSED" ? state : next);
}

/** A task run that ended without running (skipped, killed before its start) is a mark at its end. @param {TaskRun} run @returns {Bar[]} */
function mark(run) {
  const last = run.history.at(-1);
  if (!last || KINDS[last[0]]) return [];
  return [{ kind: "mark", from: toMs(last[1]), to: toMs(last[1]), state: last[0], attempt: 0 }];
}

/** Start, end (null while it goes on) and how long it ran, from first to last bar. @param {TaskRun} run
 * @returns {{from: number, to: number | null}} */
export function span(run) {
  const last = run.history.at(-1);
  const open = Boolean(last && KINDS[last[0]]);
  return { from: toMs(run.history[0]?.[1]), to: open || !last ? null : toMs(last[1]) };
}

/** Milliseconds from the first try's start to the end or to `now`; NaN before the first try. @param {TaskRun} run @param {number} now */
export function workedFor(run, now) {
  const first = run.history.find(([state]) => state === "RUNNING");
  if (!first) return NaN;
  const { to } = span(run);
  return Math.max(0, (to ?? Math.max(now, toMs(first[1]))) - toMs(first[1]));
}

/** First start and last end over all task runs; `open` when one still goes on.
 * @param {Iterable<TaskRun>} runs @returns {{from: number, to: number, open: boolean}} NaN when there are none */
export function extent(runs) {
  let [from, to, open] = [Infinity, -Infinity, false];
  for (const run of runs) {
    const one = span(run);
    from = Math.min(from, one.from);
    to = Math.max(to, one.to ?? one.from, toMs(run.history.at(-1)?.[1]));
    open ||= one.to === null;
  }
  return Number.isFinite(from) ? { from, to, open } : { from: NaN, to: NaN, open: false };
}
