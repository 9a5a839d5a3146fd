import assert from "node:assert/strict";
import { test } from "node:test";

import { panned, stepFor, ticks, tickText, wholeRange, zoomed } from "../../assets/js/gantt/axis.js";
import { barsOf, extent, span, workedFor } from "../../assets/js/gantt/bars.js";
import { criticalPath } from "../../assets/js/gantt/critical.js";
import { LIVE_TRACE, traces } from "../../assets/js/gantt/figure.js";
import { Rows } from "../../assets/js/gantt/model.js";
import { noteOf, ROW, windowOf } from "../../assets/js/gantt/rowlist.js";
import { buildTree, filterOf, rowsOf } from "../../assets/js/gantt/tree.js";
import { configure } from "../../assets/js/states.js";

/** @typedef {import("../../assets/js/execution/fold.js").TaskRun} TaskRun */

const T0 = Date.UTC(2026, 2, 5, 12, 0, 0);
const iso = (/** @type {number} */ s) => new Date(T0 + s * 1000).toISOString();
const info = (/** @type {string} */ state, /** @type {string} */ token, terminal = false) =>
  ({ state, terminal, token, shape: "circle", letter: state[0], severity: 1 });
configure([info("CREATED", "waiting"), info("RUNNING", "running"), info("RETRYING", "retrying"), info("FAILED", "failed", true), info("SUCCESS", "success", true)]);

/** @param {string} id @param {[string, number][]} changes @param {Partial<TaskRun>} [rest] @returns {TaskRun} */
function run(id, changes, rest = {}) {
  const history = /** @type {[string, string][]} */ (changes.map(([state, s]) => [state, iso(s)]));
  return { id, task_id: id, state: changes.at(-1)?.[0] ?? "CREATED", history, ...rest };
}
const brief = (/** @type {TaskRun} */ one) =>
  barsOf(one).map((bar) => [bar.kind, (bar.from - T0) / 1000, bar.to === null ? null : (bar.to - T0) / 1000, bar.state, bar.attempt]);

test("waiting and each try are bars of their own, coloured by how the try ended", () => {
  const retried = run("a", [["CREATED", 0], ["SUBMITTED", 1], ["RUNNING", 2], ["RETRYING", 5], ["RUNNING", 8], ["SUCCESS", 9]]);
  assert.deepEqual(brief(retried), [
    ["queued", 0, 2, "SUBMITTED", 0],
    ["run", 2, 5, "FAILED", 1],
    ["retry", 5, 8, "RETRYING", 0],
    ["run", 8, 9, "SUCCESS", 2],
  ]);
});

test("a try's own state wins over what followed", () => {
  const attempts = [{ number: 1, state: "KILLED" }];
  assert.equal(barsOf(run("a", [["RUNNING", 0], ["RESTARTED", 4], ["RUNNING", 5]], { attempts }))[0].state, "KILLED");
});

test("killing is the end of the same try", () => {
  assert.deepEqual(brief(run("a", [["RUNNING", 0], ["KILLING", 3], ["KILLED", 4]])), [["run", 0, 4, "KILLED", 1]]);
});

test("an open bar has no end, one that never ran is a mark", () => {
  assert.deepEqual(brief(run("a", [["CREATED", 0], ["RUNNING", 1]])).at(-1), ["run", 1, null, "RUNNING", 1]);
  assert.deepEqual(brief(run("a", [["CREATED", 0], ["SKIPPED", 2]])).at(-1), ["mark", 2, 2, "SKIPPED", 0]);
});

test("spans, durations and the extent of all", () => {
  const done = run("a", [["CREATED", 0], ["RUNNING", 1], ["SUCCESS", 4]]);
  const open = run("b", [["CREATED", 2], ["RUNNING", 3]]);
  assert.deepEqual(span(done), { from: T0, to: T0 + 4000 });
  assert.equal(span(open).to, null);
  assert.equal(workedFor(done, T0 + 99_000), 3000);
  assert.equal(workedFor(open, T0 + 5000), 2000);
  assert.ok(Number.isNaN(workedFor(run("c", [["CREATED", 0]]), T0)));
  assert.deepEqual(extent([done, open]), { from: T0, to: T0 + 4000, open: true });
  assert.ok(Number.isNaN(extent([]).from));
});

test("tree order: branch, iteration, moment, place in the file", () => {
  const runs = [
    run("late", [["CREATED", 3]]),
    run("error", [["CREATED", 1]], { branch: "ERRORS" }),
    run("each", [["CREATED", 2]]),
    run("each-1", [["CREATED", 2]], { parent_id: "each", iteration: 1 }),
    run("each-0", [["CREATED", 4]], { parent_id: "each", iteration: 0 }),
    run("b", [["CREATED", 0]]),
    run("a", [["CREATED", 0]]),
  ];
  const rows = rowsOf(buildTree(runs, ["b", "a"]), new Set());
  assert.deepEqual(rows.map((row) => [row.run.id, row.depth]), [["b", 0], ["a", 0], ["each", 0], ["each-0", 1], ["each-1", 1], ["late", 0], ["error", 0]]);
});

test("closed rows hide their children; a filter shows the way to what matches", () => {
  const tree = buildTree([run("p", [["RUNNING", 0]]), run("x", [["FAILED", 0]], { parent_id: "p", error: "No Space left" }), run("y", [["SUCCESS", 1]], { parent_id: "p" })]);
  const ids = (/** @type {any[]} */ rows) => rows.map((row) => row.run.id);
  assert.deepEqual(ids(rowsOf(tree, new Set(["p"]))), ["p"]);
  assert.deepEqual(ids(rowsOf(tree, new Set(["p"]), filterOf("space", new Set()))), ["p", "x"]);
  assert.deepEqual(ids(rowsOf(tree, new Set(), filterOf("", new Set(["SUCCESS"])))), ["p", "y"]);
  assert.deepEqual(ids(rowsOf(tree, new Set(), filterOf("nothing", new Set()))), []);
  assert.equal(filterOf("  ", new Set()), null);
});

test("the critical path goes back from the end", () => {
  const span = (/** @type {string} */ id, /** @type {number} */ from, /** @type {number} */ to, rest = {}) => run(id, [["RUNNING", from], ["SUCCESS", to]], rest);
  const runs = [span("first", 0, 2), span("fork", 2, 9), span("slow", 2, 9, { parent_id: "fork" }), span("fast", 2, 4, { parent_id: "fork" }), span("end", 9, 10)];
  assert.deepEqual([...criticalPath(buildTree(runs), T0)].sort(), ["end", "first", "fork", "slow"]);
});

test("ticks are multiples of a step that leaves them room", () => {
  const step = stepFor([0, 60_000], 960);
  assert.equal(step, 10_000);
  assert.deepEqual(ticks([-500, 30_000], step), [0, 10_000, 20_000, 30_000]);
  assert.equal(tickText(90_000, T0, 30_000).offset, "+1m 30s");
  assert.equal(tickText(0, T0, 1000).offset, "start");
  assert.equal(tickText(1500, T0, 500).offset, "+1.5s");
});

test("an axis that grows does so in steps, and always has room", () => {
  let moves = 0;
  let before = 0;
  for (let ms = 0; ms < 600_000; ms += 250) {
    const [, to] = wholeRange(ms, true);
    assert.ok(to > ms);
    if (to !== before) moves += 1;
    before = to;
  }
  assert.ok(moves < 40, `moved ${moves} times`);
  assert.ok(wholeRange(1000, false)[1] < 1100);
});

test("zoom keeps the point under the pointer, pan the width", () => {
  assert.deepEqual(zoomed([0, 100], 0.5, 25), [12.5, 62.5]);
  assert.deepEqual(panned([0, 100], 0.1), [10, 110]);
});

test("the figure: a point a bar, open ones in the live trace, usual durations as outlines", () => {
  const rows = rowsOf(buildTree([run("a", [["CREATED", 0], ["RUNNING", 1], ["SUCCESS", 4]]), run("b", [["CREATED", 4], ["RUNNING", 5]])]), new Set());
  /** @type {any} */
  const frame = { start: T0, now: T0 + 7000, range: [0, 10_000], width: 1000, ticks: [], usual: { b: 3 } };
  const palette = { waiting: "w", running: "r", success: "s", failed: "f" };
  const { data, live } = traces(rows, frame, palette);
  assert.deepEqual(data.map((trace) => trace.x.length), [2, 1, 1, 1], "one wait each");
  assert.deepEqual(live, [{ from: 5000, length: 2000 }]);
  assert.deepEqual([data[LIVE_TRACE].base, data[LIVE_TRACE].y, data[LIVE_TRACE].marker.color], [[5000], [1], ["r"]]);
  assert.deepEqual([data[3].base, data[3].x], [[5000], [3000]]);
});

test("ten thousand rows: only a window of them is drawn, and it moves in steps", () => {
  const [from, to] = windowOf(5000 * ROW, 700, 10_000);
  assert.ok(from <= 5000 && to >= 5025 && to - from < 80, `${from}-${to}`);
  assert.deepEqual(windowOf(5000 * ROW + 20, 700, 10_000), [from, to]);
  assert.deepEqual(windowOf(0, 700, 3), [0, 3]);
  assert.deepEqual(windowOf(0, 700, 0), [0, 0]);
});

test("ten thousand task runs: a state change costs no new tree", () => {
  const runs = Array.from({ length: 10_000 }, (_, i) => run(`t${i}`, [["CREATED", i / 100]], { parent_id: "root", iteration: i }));
  /** @type {any} */
  const model = { tasks: new Map([["root", run("root", [["RUNNING", 0]])], ...runs.map((one) => /** @type {[string, TaskRun]} */ ([one.id, one]))]) };
  const rows = new Rows();
  rows.change(null, model);
  rows.refresh(model, T0);
  const { tree } = rows;
  model.tasks.set("t7", run("t7", [["CREATED", 0.07], ["RUNNING", 9]], { parent_id: "root", iteration: 7 }));
  rows.change(new Set(["t7"]), model);
  while (rows.refresh(model, T0).wait > 0);
  assert.equal(rows.tree, tree);
  assert.equal(rows.rows[8].run.state, "RUNNING");
  assert.equal(rows.counts.get("RUNNING"), 2);
  model.tasks.set("new", run("new", [["CREATED", 99]]));
  rows.change(new Set(["new"]), model);
  while (rows.refresh(model, T0).wait > 0);
  assert.equal(rows.rows.at(-1)?.run.id, "new");
});

test("the note says children done, or which try", () => {
  const row = (/** @type {TaskRun} */ one, parent = false) => ({ run: one, depth: 0, parent, open: true });
  assert.equal(noteOf(row(run("a", [["RUNNING", 0]], { progress: { total: 8 } }), true), new Map([["a", { total: 8, started: 4, ended: 3, failed: 0 }]])), "3/8");
  assert.equal(noteOf(row(run("a", [["RUNNING", 0]], { attempts: [{ number: 1, state: "FAILED" }, { number: 2, state: "RUNNING" }] })), new Map()), "try 2");
});
