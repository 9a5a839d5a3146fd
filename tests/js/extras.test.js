// Columns whose values don't travel live.
import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Extras, progressOf } from "../../assets/js/executions/extras.js";

const START = Date.parse("2026-03-05T12:00:00Z");
const at = (/** @type {number} */ seconds) => new Date(START + 1000 * seconds).toISOString();

/** @param {string} id @param {object} [more] @returns {any} */
const row = (id, more = {}) => ({ id, version: 1, namespace: "demo", flow_id: "etl", state: "RUNNING", start_date: at(0), ...more });

/** An element that holds a text and no more. @returns {any} */
const cell = () => {
  const text = { textContent: "" };
  return { ...text, lastChild: text, firstChild: null, dataset: {}, style: { setProperty() {} } };
};

/** Extras over a server that counts what it is asked. */
function world() {
  mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, { Text: class {} });
  /** @type {string[][]} */
  const asked = [];
  let away = false;
  const extras = new Extras(() => START + 30_000, async (ids) => {
    asked.push(ids);
    if (away) throw new Error("away");
    return { values: Object.fromEntries(ids.map((id) => [id, { inputs: `in ${id}`, outputs: `out ${id}` }])), usual: { "demo/etl": 60 } };
  });
  const pass = async (/** @type {number} */ ms) => {
    mock.timers.tick(ms);
    for (let turns = 0; turns < 20; turns += 1) await null;
  };
  return { extras, asked, pass, cut: (/** @type {boolean} */ on) => (away = on) };
}

test("progress is a share while it is usual, and how many times as long as usual otherwise", () => {
  const end = { end_date: at(90) };
  assert.deepEqual(progressOf(row("a"), 60, START + 30_000), { share: 0.5, text: "50 %" });
  assert.equal(progressOf(row("a"), 60, START + 150_000)?.text, "2.5 ×");
  assert.equal(progressOf(row("a", end), 60, START)?.text, "1.5 ×");
  assert.deepEqual([progressOf(row("a"), null, START), progressOf(row("a"), undefined, START)], [null, null]);
});

test("cells in sight are asked for once and together, and again after the end", async (context) => {
  context.after(() => mock.timers.reset());
  const { extras, asked, pass } = world();
  const [inputs, outputs, other] = [cell(), cell(), cell()];
  extras.showValues(inputs, row("a"), "inputs");
  extras.showValues(outputs, row("a"), "outputs");
  extras.showValues(other, row("b"), "inputs");
  await pass(120);
  assert.deepEqual([asked, inputs.textContent, outputs.textContent, other.textContent], [[["a", "b"]], "in a", "out a", "in b"]);
  extras.showValues(inputs, row("a", { state: "SUCCESS", end_date: at(40) }), "inputs");
  await pass(120);
  assert.deepEqual(asked.slice(1), [["a"]]);
});

test("a cell that shows another row by the time of the answer keeps that row's", async (context) => {
  context.after(() => mock.timers.reset());
  const { extras, pass } = world();
  const [one, two] = [cell(), cell()];
  extras.showValues(two, row("b"), "inputs");
  await pass(120);
  extras.showValues(one, row("a"), "inputs");
  mock.timers.tick(120);
  extras.showValues(one, row("b"), "inputs");
  await pass(0);
  assert.equal(one.textContent, "in b");
});

test("progress goes on by itself; what could not be asked is asked later, what is gone never", async (context) => {
  context.after(() => mock.timers.reset());
  const { extras, asked, pass, cut } = world();
  const [shown, gone] = [cell(), cell()];
  cut(true);
  extras.showProgress(shown, row("a"));
  extras.showProgress(gone, row("b"));
  extras.forget(gone);
  await pass(120);
  cut(false);
  await pass(5_000);
  extras.tick();
  assert.deepEqual([asked, shown.lastChild.textContent, shown.dataset.pace], [[["a"], ["a"]], "50 %", "usual"]);
  extras.close();
});
