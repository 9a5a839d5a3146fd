import assert from "node:assert/strict";
import { test } from "node:test";

import { progressOf } from "../../assets/js/execution/progress.js";
import { configure } from "../../assets/js/states.js";
import { cardMarkup, mix, segments } from "../../assets/js/topology/card.js";
import { stylesheet } from "../../assets/js/topology/style.js";
import { panAlong, standsOut, within } from "../../assets/js/topology/look.js";
import { byTask, edgeState, fitZoom, nodeSum, progressText, sumOf } from "../../assets/js/topology/sum.js";

/** @type {[string, string, boolean, number][]} */
const STATES = [["CREATED", "waiting", false, 1], ["RUNNING", "running", false, 2], ["RETRYING", "retrying", false, 5], ["PAUSED", "paused", false, 3], ["SUCCESS", "success", true, 0], ["WARNING", "warning", true, 7], ["FAILED", "failed", true, 9]];
configure(STATES.map(([state, token, terminal, severity]) => ({ state, token, terminal, severity, shape: "circle", letter: state[0] })));

/** @param {string} task @param {string} state @param {any} [rest] @returns {any} */
const run = (task, state, rest = {}) => ({ id: `${task}-${state}`, task_id: task, state, history: [], ...rest });
const node = (/** @type {string} */ id, /** @type {any} */ rest = {}) => ({ id, kind: "task", ...rest });

test("what still moves wins, then the worst", () => {
  assert.equal(sumOf([run("a", "FAILED"), run("a", "RUNNING"), run("a", "CREATED")]).state, "RUNNING");
  assert.equal(sumOf([run("a", "FAILED"), run("a", "CREATED")]).state, "CREATED");
  assert.equal(sumOf([run("a", "SUCCESS"), run("a", "WARNING")]).state, "WARNING");
  assert.deepEqual(sumOf([run("a", "SUCCESS"), run("a", "FAILED"), run("a", "SUCCESS")]).states, [["FAILED", 1], ["SUCCESS", 2]]);
});

test("a failed try of a run that went on still opens its error", () => {
  const retried = run("a", "SUCCESS", { attempts: [{ number: 1, state: "FAILED" }, { number: 2, state: "SUCCESS" }] });
  assert.equal(sumOf([retried]).failed, retried);
  assert.equal(sumOf([run("a", "SUCCESS")]).failed, null);
});

test("a loop counts its values, a group its members, a task its runs", () => {
  const all = [
    run("each", "RUNNING", { progress: { total: 40, values: ["1", "2"] } }),
    run("probe", "SUCCESS", { parent_id: "each-RUNNING", iteration: 0 }),
    run("probe", "RUNNING", { parent_id: "each-RUNNING", iteration: 1 }),
    run("m1", "SUCCESS"),
    run("chain", "RUNNING", { progress: { total: 3 } }),
  ];
  const runs = byTask(all);
  const progress = progressOf(all);
  assert.equal(progressText(nodeSum(node("each"), runs, progress)), "1 / 40");
  assert.deepEqual(nodeSum(node("each"), runs, progress)?.states, [["SUCCESS", 1], ["RUNNING", 1]]);
  assert.equal(progressText(nodeSum(node("probe"), runs, progress)), "1 / 2");
  assert.equal(progressText(nodeSum({ id: "g", kind: "group", members: ["m1", "m2", "m3"] }, runs, progress)), "1 / 3");
  assert.equal(progressText(nodeSum(node("chain"), runs, progress)), "");
  assert.equal(nodeSum(node("never"), runs, progress), null);
});

test("paths: open, running, taken, and unused once the execution ended", () => {
  const [done, running] = [sumOf([run("a", "SUCCESS")]), sumOf([run("b", "RUNNING")])];
  assert.equal(edgeState(done, running, false), "running");
  assert.equal(edgeState(done, null, false), "open");
  assert.equal(edgeState(done, null, true), "unused");
  assert.equal(edgeState(done, done, true), "taken");
  assert.equal(edgeState(done, undefined, false), "taken", "to a join");
  assert.equal(edgeState(running, undefined, false), "open");
  assert.equal(edgeState(undefined, done, true), "taken", "from the start");
});

test("the state bar fills its width and no more", () => {
  const sum = { ...sumOf([run("a", "FAILED"), run("a", "SUCCESS"), run("a", "SUCCESS"), run("a", "RUNNING")]), total: 8 };
  const parts = segments(sum, 160);
  assert.deepEqual(parts.map(({ state, x, width }) => [state, x, width]), [["FAILED", 0, 20], ["RUNNING", 20, 20], ["SUCCESS", 40, 40]]);
});

test("the card says the state by shape and letter, and offers the error of a failed one", () => {
  const palette = { success: "#00ff00", failed: "#ff0000", panel: "#000000", muted: "#888888", text: "#ffffff", border: "#333333" };
  const good = cardMarkup(sumOf([run("a", "SUCCESS")]), { w: 184, h: 48 }, palette);
  const bad = cardMarkup(sumOf([run("a", "FAILED")]), { w: 184, h: 48 }, palette);
  assert.match(good, />S<\/text>/);
  assert.ok(!good.includes("<circle"));
  assert.match(bad, />F<\/text>.*<circle/);
  assert.equal(mix("#ffffff", "#000000", 0.5), "#808080");
});

test("the orientation that can be drawn larger", () => {
  const chain = (/** @type {boolean} */ down) => Array.from({ length: 10 }, (_, i) => ({ x: down ? 0 : i * 230, y: down ? i * 90 : 0, w: 184, h: 48 }));
  assert.ok(fitZoom(chain(true), [1200, 500]) > fitZoom(chain(false), [1200, 500]));
  assert.ok(fitZoom(chain(true), [1800, 300]) < fitZoom(chain(false), [1800, 300]));
  assert.equal(fitZoom([{ x: 0, y: 0, w: 100, h: 50 }], [200, 50]), 1);
});

test("the style sheet turns with the orientation", () => {
  const edge = (/** @type {boolean} */ down) => {
    const rules = stylesheet({ panel: "#000000", text: "#ffffff", accent: "#0000ff" }, down).filter((rule) => rule.selector === "edge");
    return Object.assign({}, ...rules.map((rule) => rule.style));
  };
  assert.deepEqual([edge(true)["taxi-direction"], edge(false)["taxi-direction"]], ["vertical", "horizontal"]);
});

test("a graph too large to read is looked at where something failed, else where it goes on", () => {
  const sum = (/** @type {string} */ state) => ({ state, total: 1, ended: 0, states: [], failed: null, runs: 1 });
  assert.equal(standsOut([["a", sum("SUCCESS")], ["b", sum("RUNNING")], ["c", null]]), "b");
  assert.equal(standsOut([["a", sum("FAILED")], ["b", sum("RUNNING")]]), "a");
  assert.equal(standsOut([["a", sum("SUCCESS")], ["c", null]]), null);
});

test("what is looked at is in the middle, but the graph's ends leave no empty room", () => {
  const middle = (/** @type {number} */ place) => place * 0.5 + panAlong(place, [0, 4000], 800, 0.5);
  assert.equal(middle(2000), 400);
  assert.equal(middle(10), 33); // as far left as the margin lets it
  assert.equal(middle(4000), 772);
  assert.equal(panAlong(0, [0, 400], 800, 1), 200); // all of it fits: it is in the middle
  assert.ok(within({ x: 1, y: 1 }, { x1: 0, y1: 0, x2: 2, y2: 2 }));
  assert.ok(!within({ x: 3, y: 1 }, { x1: 0, y1: 0, x2: 2, y2: 2 }));
});
