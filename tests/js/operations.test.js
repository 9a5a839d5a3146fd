import assert from "node:assert/strict";
import { test } from "node:test";

import { detailText, elapsed, failed, leftResult, rate, remaining, selectionText, tally } from "../../assets/js/operations/model.js";

const START = Date.parse("2026-01-01T00:00:00Z");
const at = (/** @type {number} */ ms) => new Date(START + ms).toISOString();

/** @param {object} changes @returns {any} */
const operation = (changes) => ({ id: "op", action: "kill", actor: "ada", origin: "ui", state: "RUNNING", total: 100, created_at: at(0), started_at: at(0), ...changes });

test("what has no result is left", () => {
  assert.deepEqual(tally(operation({ done: 40, refused: 5, unknown: 1 })), { total: 100, done: 40, refused: 5, unknown: 1, left: 54 });
  assert.equal(tally(operation({})).left, 100);
});

test("what failed can be tried again once it has ended", () => {
  assert.equal(failed(operation({ refused: 5 })), 0);
  assert.equal(failed(operation({ state: "DONE", done: 95, refused: 5 })), 5);
  assert.equal(failed(operation({ state: "STOPPED", done: 40, refused: 5 })), 60);
  assert.equal(leftResult(operation({ state: "STOPPED" })), "stopped");
  assert.equal(leftResult(operation({})), "pending");
});

test("the time left follows from the pace so far", () => {
  assert.equal(remaining(operation({ done: 25 }), START + 10_000), "about 30.0s left");
  assert.equal(remaining(operation({}), START + 10_000), "");
  assert.equal(remaining(operation({ state: "DONE", done: 100 }), START + 10_000), "");
  assert.equal(rate(operation({ done: 50 }), START + 10_000), "5 a second");
  assert.equal(rate(operation({ done: 50 }), START + 100), "");
  assert.equal(elapsed(operation({ ended_at: at(700) }), START + 10_000), 700);
});

test("the selection in words", () => {
  const said = (/** @type {object} */ selection) => selectionText(operation({ selection }));
  assert.equal(said({ ids: 3 }), "3 executions chosen one by one");
  assert.equal(said({ filters: "" }), "all executions");
  const filters = "filters[state][IN]=FAILED%2CWARNING&filters[labels][EQUALS][env]=prod&filters[namespace][PREFIX]=company";
  assert.equal(said({ filters }), "all with state is FAILED, WARNING and labels env is prod and namespace in company");
  assert.equal(selectionText(operation({ retry_of: "x", selection: { ids: 2 } })), "what failed before");
});

test("details in words; what is usual is left out", () => {
  assert.equal(detailText(operation({ details: { cascade: true } })), "");
  assert.equal(detailText(operation({ details: { labels: { env: "prod" }, include_non_terminated: true } })), "labels: env:prod · include non terminated: yes");
});
