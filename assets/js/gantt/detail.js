// What the Gantt says of a task run: under the pointer, and in the menu of its row.
import { taskItems } from "../actions/menu.js";
import { copyText, h } from "../dom.js";
import { againstUsual, clock, duration, exact, plural, valueText } from "../format.js";
import { stateBadge } from "../states.js";
import { go, logsUrl } from "../execution/links.js";
import { barsOf } from "./bars.js";

/** @typedef {import("./tree.js").Row} Row */
/** @typedef {import("./bars.js").Bar} Bar */

/** @type {{[kind: string]: string}} */
const WORDS = { queued: "waiting", run: "running", paused: "paused", retry: "waits for a retry", mark: "ended" };

/** @param {Bar} bar @param {number} now @param {number} tries */
function line(bar, now, tries) {
  const what = bar.kind === "run" && tries > 1 ? `try ${bar.attempt}` : WORDS[bar.kind];
  const times = bar.kind === "mark" ? clock(bar.from, true) : `${clock(bar.from, true)} → ${bar.to === null ? "…" : clock(bar.to, true)}`;
  return h(
    "tr",
    { class: bar.kind },
    h("td", {}, stateBadge(bar.state, { small: true })),
    h("td", {}, what),
    h("td", { class: "mono" }, times),
    h("td", { class: "number" }, bar.kind === "mark" ? "" : duration((bar.to ?? now) - bar.from)),
  );
}

/** The tooltip of a row. @param {Row} row @param {number} now @param {number | undefined} usual seconds @returns {Node[]} */
export function tipOf({ run }, now, usual) {
  const bars = barsOf(run);
  const tries = bars.filter((bar) => bar.kind === "run").length;
  const shown = bars.length > 9 ? [...bars.slice(0, 4), ...bars.slice(-4)] : bars;
  const lines = shown.map((bar) => line(bar, now, tries));
  const worker = run.attempts?.findLast((attempt) => attempt.worker_id)?.worker_id;
  return [
    h("div", { class: "wf-tip-head" }, stateBadge(run.state), h("b", {}, run.task_id), valueText(run) ? h("span", { class: "gantt-value" }, valueText(run)) : ""),
    h("table", {}, h("tbody", {}, ...lines)),
    ...(bars.length > shown.length ? [h("p", {}, `and ${plural(bars.length - shown.length, "more")} between`)] : []),
    ...(usual ? [h("p", {}, againstUsual(0, { p50: usual, p95: usual }).text.split(",")[0])] : []),
    ...(run.error ? [h("p", { class: "error" }, run.error.split("\n", 1)[0].slice(0, 300))] : []),
    ...(worker ? [h("p", {}, `on ${worker}`)] : []),
  ];
}

/** The menu of a row. @param {Row} row @param {string} id the execution's @param {import("../actions/model.js").Seen} seen the execution
 * @param {(() => void) | null} toggle */
export function menuOf({ run, open }, id, seen, toggle) {
  const tries = run.attempts?.length ?? 0;
  const attempts = tries > 1 ? run.attempts?.slice(-6).map((attempt) => ({
    label: `Logs of try ${attempt.number}`,
    hint: attempt.state.toLowerCase(),
    run: () => go(logsUrl(id, { taskRun: run.id, attempt: attempt.number })),
  })) ?? [] : [];
  const first = run.error?.split("\n", 1)[0].trim().slice(0, 80);
  return [
    { label: "Logs of this task run", run: () => go(logsUrl(id, { taskRun: run.id })) },
    ...attempts,
    ...(first ? [{ label: "First error in the logs", run: () => go(logsUrl(id, { taskRun: run.id, find: first })) }] : []),
    ...(run.subflow_execution_id ? [{ label: "Open the subflow's execution", run: () => go(`/executions/${run.subflow_execution_id}`) }] : []),
    ...(toggle ? [{ label: open ? "Close" : "Open", run: toggle }] : []),
    null,
    ...taskItems(id, seen, run),
    null,
    { label: "Copy the task run's id", hint: run.id.slice(0, 8), run: () => void copyText(run.id) },
    { label: "Copy the start", hint: clock(Date.parse(run.history[0]?.[1])), run: () => void copyText(exact(Date.parse(run.history[0]?.[1]))) },
    ...(run.error ? [{ label: "Copy the error", run: () => void copyText(run.error ?? "") }] : []),
  ];
}
