import assert from "node:assert/strict";
import { test } from "node:test";

import { busy, elapsed, empty, firstFailure, fold, fromSnapshot, periods, summary } from "../../assets/js/execution/fold.js";
import { shares } from "../../assets/js/execution/history.js";
import { logPlace, logSearch, logsUrl } from "../../assets/js/execution/links.js";
import { progressOf } from "../../assets/js/execution/progress.js";
import { kindOf, related, wishes } from "../../assets/js/execution/relations.js";
import { watch } from "../../assets/js/execution/store.js";
import { briefly } from "../../assets/js/execution/values.js";
import { configure } from "../../assets/js/states.js";

const at = (/** @type {number} */ s) => new Date(Date.UTC(2026, 2, 5, 12, 0, 0) + s * 1000).toISOString();
const ms = (/** @type {number} */ s) => Date.parse(at(s));
const terminal = (/** @type {string} */ state) => ["SUCCESS", "FAILED", "KILLED"].includes(state);

/** @param {string} id @param {string} state @param {Partial<import("../../assets/js/execution/fold.js").TaskRun>} [rest] */
const run = (id, state, rest = {}) => ({ id, task_id: id, state, history: /** @type {any} */ ([[state, at(0)]]), ...rest });
/** @param {number} version @param {string} state */
const row = (version, state) => ({
  id: "e", version, namespace: "n", flow_id: "f", revision: 1, state, start_date: at(0), changed_at: at(version),
});

test("an older version and an older task run change nothing", () => {
  const model = fromSnapshot({ row: row(5, "SUCCESS"), history: [["CREATED", at(0)]], task_runs: [] });
  assert.deepEqual(fold(model, /** @type {any} */ ({ t: "execution", row: row(4, "RUNNING"), history: [] })), []);
  assert.equal(model.row?.state, "SUCCESS");
  const item = (/** @type {number} */ version, /** @type {string} */ state) =>
    /** @type {any} */ ({ t: "task_run", version, task_run: run("a", state) });
  assert.deepEqual(fold(model, item(4, "CREATED")), [], "before the snapshot");
  assert.deepEqual(fold(model, item(7, "SUCCESS")), ["a"]);
  assert.deepEqual(fold(model, item(6, "RUNNING")), []);
  assert.equal(model.tasks.get("a")?.state, "SUCCESS");
  assert.deepEqual(fold(model, /** @type {any} */ ({ t: "dropped", version: 6, ids: ["a"] })), []);
});

test("an execution that is gone keeps what was known last", () => {
  const model = fromSnapshot({ row: row(5, "SUCCESS"), task_runs: [run("a", "SUCCESS")] });
  assert.equal(model.gone, false);
  assert.deepEqual(fold(model, /** @type {any} */ ({ t: "gone", id: "e" })), []);
  assert.deepEqual([model.gone, model.row?.state, model.tasks.size], [true, "SUCCESS", 1]);
});

test("dropped task runs go, unknown tags are ignored", () => {
  const model = fromSnapshot({ row: row(1, "RUNNING"), task_runs: [run("a", "RUNNING"), run("b", "RUNNING")] });
  assert.deepEqual(fold(model, /** @type {any} */ ({ t: "dropped", version: 2, ids: ["a", "never"] })), ["a"]);
  assert.deepEqual([...model.tasks.keys()], ["b"]);
  fold(model, /** @type {any} */ ({ t: "task_run", version: 1, task_run: run("a", "RUNNING") }));
  assert.ok(!model.tasks.has("a"), "an older change does not bring it back");
  assert.deepEqual(fold(model, { t: "of-the-future" }), []);
});

test("a running duration counts to the confirmed moment, an ended one does not", () => {
  assert.equal(elapsed(row(1, "RUNNING"), ms(7)), 7000);
  assert.equal(elapsed({ ...row(2, "SUCCESS"), end_date: at(3) }, ms(99)), 3000);
  assert.ok(Number.isNaN(elapsed(null, 0)));
});

test("periods of a history", () => {
  /** @type {any} */
  const history = [["CREATED", at(0)], ["RUNNING", at(1)], ["SUCCESS", at(4)]];
  assert.deepEqual(periods(history, ms(9), terminal).map((period) => period.ms), [1000, 3000, null]);
  assert.deepEqual(periods(history.slice(0, 2), ms(9), terminal).map((period) => period.ms), [1000, 8000]);
});

test("the first failure is the one that ended first, of any attempt", () => {
  const model = empty();
  const failed = (/** @type {number} */ number, /** @type {number} */ end, /** @type {string} */ error) =>
    /** @type {any} */ ({ number, state: "FAILED", error, history: [["RUNNING", at(0)], ["FAILED", at(end)]] });
  model.tasks.set("late", run("late", "FAILED", { attempts: [failed(1, 9, "second")] }));
  model.tasks.set("early", run("early", "SUCCESS", { attempts: [failed(1, 3, "first"), { number: 2, state: "SUCCESS" }] }));
  assert.deepEqual([firstFailure(model)?.run.id, firstFailure(model)?.error, firstFailure(model)?.attempt], ["early", "first", 1]);
  assert.equal(firstFailure(empty()), null);
});

test("a task's summary adds up its runs and counts only the time it was running", () => {
  const model = empty();
  /** @type {any} */
  const history = [["CREATED", at(0)], ["RUNNING", at(1)], ["RETRYING", at(3)], ["RUNNING", at(10)], ["SUCCESS", at(11)]];
  model.tasks.set("1", { ...run("1", "SUCCESS"), task_id: "each", history });
  model.tasks.set("2", { ...run("2", "RUNNING"), task_id: "each", history: history.slice(0, 2) });
  const [each] = summary(model, ms(5), terminal);
  assert.equal(each.total, 2);
  assert.deepEqual([...each.states], [["SUCCESS", 1], ["RUNNING", 1]]);
  assert.equal(each.ms, 3000 + 4000);
  assert.equal(busy({ ...run("1", "SUCCESS"), history }, 0, terminal), 3000);
});

test("progress is counted from children; a value of a ForEach is done with its last task, or when one failed", () => {
  configure(["SUCCESS", "FAILED"].map((state) => ({ state, terminal: true, token: "", shape: "", letter: "", severity: 0 })));
  const child = (/** @type {string} */ task, /** @type {number} */ iteration, /** @type {string} */ state) =>
    run(`${task}${iteration}`, state, { task_id: task, parent_id: "each", iteration });
  const each = run("each", "RUNNING", { progress: { total: 5, values: ["a", "b"] } });
  const children = [child("x", 0, "SUCCESS"), child("y", 0, "SUCCESS"), child("x", 1, "SUCCESS"), child("x", 2, "FAILED"), child("x", 3, "RUNNING")];
  assert.deepEqual(progressOf([each, ...children]).get("each"), { total: 5, started: 4, ended: 2, failed: 1 });
  const chain = run("chain", "RUNNING", { progress: { total: 3 } });
  const part = run("p", "SUCCESS", { parent_id: "chain" });
  const mend = run("m", "SUCCESS", { parent_id: "chain", branch: "ERRORS" });
  assert.deepEqual(progressOf([chain, part, mend]).get("chain"), { total: 3, started: 1, ended: 1, failed: 0 });
  assert.equal(progressOf([part]).size, 0);
  const loop = run("loop", "RUNNING", { progress: { total: 2, iteration: 1 } });
  const rounds = [0, 1].map((iteration) => run(`r${iteration}`, "SUCCESS", { parent_id: "loop", iteration }));
  assert.deepEqual(progressOf([loop, ...rounds]).get("loop"), { total: 2, started: 1, ended: 1, failed: 0 });
});

test("views of one execution share one subscription, closed after the last", () => {
  /** @type {any[]} */
  const opened = [];
  let closed = 0;
  const live = {
    subscribe(/** @type {string} */ topic, /** @type {any} */ params, /** @type {any} */ handlers) {
      opened.push({ topic, params, handlers });
      return { close: () => (closed += 1) };
    },
  };
  /** @type {any[]} */
  const calls = [];
  const first = watch(live, "e", { changed: (changed) => calls.push(["first", changed]) });
  opened[0].handlers.snapshot({ row: row(1, "RUNNING"), task_runs: [run("a", "CREATED")] });
  const second = watch(live, "e", { changed: (changed) => calls.push(["second", changed]) });
  assert.equal(opened.length, 1);
  assert.deepEqual(opened[0].params, { id: "e" });
  assert.deepEqual(calls, [["first", null], ["second", null]]);
  opened[0].handlers.items([{ t: "task_run", version: 2, task_run: run("b", "CREATED") }]);
  assert.deepEqual(calls.at(-1), ["second", new Set(["b"])]);
  assert.equal(first.model.tasks.size, 2);
  first.close();
  assert.equal(closed, 0);
  second.close();
  assert.equal(closed, 1);
});

test("a place in the logs and its address are each other's inverse", () => {
  const place = { task: "load data", taskRun: "r1", attempt: 2, level: "WARN", view: "time", find: "a=b&c", line: 77 };
  const url = new URL(logsUrl("e/1", place), "http://x");
  assert.equal(url.pathname, "/executions/e%2F1/logs");
  assert.deepEqual(logPlace(url.search, url.hash), place);
  assert.deepEqual(logPlace("", "#other"), {});
  assert.equal(logSearch({}), "");
});

test("shares of the history bar sum to one, and none disappears", () => {
  const parts = shares([0, 1, 9999]);
  assert.ok(Math.abs(parts.reduce((sum, part) => sum + part, 0) - 1) < 1e-9);
  assert.ok(Math.min(...parts) > 0.01);
  assert.deepEqual(shares([0, 0]), [0.5, 0.5]);
});

test("values in one line", () => {
  assert.equal(briefly([1, 2]), "2 entries");
  assert.equal(briefly({ a: 1 }), "1 key");
  assert.equal(briefly(null), "null");
  assert.equal(briefly("x".repeat(500)).length, 241);
});

test("what came of an execution is named by what it is, once, the newest first", () => {
  const one = (/** @type {string} */ id, /** @type {number} */ second, /** @type {object} */ more = {}) =>
    /** @type {any} */ ({ id, start_date: new Date(1_000 * second).toISOString(), ...more });
  const child = one("child", 1, { parent_id: "x", triggered_by: "x", trigger_type: "io.kestra.plugin.core.flow.Subflow" });
  const again = one("again", 0.5, { ...child, id: "again", parent_id: "child", original_id: "child" });
  const replay = one("replay", 2, { parent_id: "x", original_id: "x" });
  const later = one("later", 3, { parent_id: "replay", original_id: "x" });
  const after = one("after", 4, { triggered_by: "x" });
  const all = related([[replay, child, again, after], [one("x", 0), later, replay]], "x");
  assert.deepEqual(all.map((row) => [row.id, kindOf(row, "x")]), [["after", "triggered"], ["later", "replay"], ["replay", "replay"], ["child", "subflow"], ["again", "subflow"]]);
  assert.deepEqual(wishes("x y"), [
    "filters[or][0][parentId][EQUALS]=x%20y&filters[or][1][triggerExecutionId][EQUALS]=x%20y",
    "filters[originalId][EQUALS]=x%20y",
  ]);
});
