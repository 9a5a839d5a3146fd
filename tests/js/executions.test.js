import assert from "node:assert/strict";
import { test } from "node:test";

import { askOf, nextSort, sameAsk, statesOf, withoutStates } from "../../assets/js/executions/address.js";
import { Order } from "../../assets/js/executions/order.js";
import { span } from "../../assets/js/executions/pager.js";
import { plan } from "../../assets/js/executions/plan.js";
import { possible } from "../../assets/js/executions/bulk.js";
import { lampText } from "../../assets/js/frame/lampstate.js";
import { titleOf, worstOf } from "../../assets/js/frame/worst.js";

const none = new Set();

/** What the grid does with a plan. @param {string[]} from @param {NonNullable<ReturnType<typeof plan>>} steps */
function applied(from, { remove, add, addIndex }) {
  const rest = from.filter((id) => !remove.includes(id));
  return [...rest.slice(0, addIndex), ...add, ...rest.slice(addIndex)];
}

test("new rows on top and the last ones gone are one transaction", () => {
  const steps = plan(["c", "b", "a"], ["e", "d", "c"], new Set(["c", "e"]));
  assert.deepEqual(steps, { remove: ["b", "a"], add: ["e", "d"], addIndex: 0, update: ["c"] });
});

test("rows that swapped, or came in two places, need a new order", () => {
  assert.equal(plan(["a", "b"], ["b", "a"], none), null);
  assert.equal(plan(["a", "b"], ["x", "a", "y", "b"], none), null);
});

test("a plan leads from any order to any other that it does not refuse", () => {
  let seed = 7;
  const random = (/** @type {number} */ n) => ((seed = (seed * 48271) % 2147483647), seed % n);
  let refused = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const pick = () => [..."abcdef"].filter(() => random(2)).sort(() => (random(5) ? 0 : random(3) - 1));
    const [from, to] = [pick(), pick()];
    const steps = plan(from, to, none);
    if (steps) assert.deepEqual(applied(from, steps), to);
    else refused += 1;
  }
  assert.ok(refused < 2_000);
});

test("the order is frozen while somebody uses the table, and counts what is new", () => {
  const order = new Order();
  assert.ok(order.offer(["b", "a"]));
  order.hold("pointer", true);
  order.hold("selection", true);
  assert.ok(!order.offer(["d", "c", "b"]));
  assert.deepEqual([order.shown, order.fresh, order.strays], [["b", "a"], 2, ["a"]]);
  assert.ok(!order.hold("pointer", false), "still selected");
  assert.ok(order.hold("selection", false));
  assert.deepEqual([order.shown, order.fresh], [["d", "c", "b"], 0]);
});

test("the newest order can be asked for while it is frozen, and freezes again", () => {
  const order = new Order();
  order.offer(["a"]);
  order.hold("pointer", true);
  order.offer(["b", "a"]);
  assert.ok(order.release());
  assert.deepEqual(order.shown, ["b", "a"]);
  assert.ok(!order.offer(["c", "b"]));
});

test("an empty table is never frozen empty", () => {
  const order = new Order();
  order.hold("pointer", true);
  assert.ok(order.offer(["a"]));
});

test("states in the address, and the filters without them", () => {
  const filters = "filters[state][IN]=FAILED,KILLED&filters[namespace][IN]=a";
  assert.deepEqual(statesOf(filters), ["FAILED", "KILLED"]);
  assert.equal(withoutStates(filters), "filters[namespace][IN]=a");
  assert.equal(withoutStates("filters%5Bstate%5D%5BIN%5D=FAILED"), "");
});

test("a column sorts falling first, then rising", () => {
  assert.equal(nextSort("startDate:desc", "namespace"), "namespace:desc");
  assert.equal(nextSort("namespace:desc", "namespace"), "namespace:asc");
  assert.equal(nextSort("namespace:asc", "namespace"), "namespace:desc");
});

test("other params than what is asked for ask for nothing new", () => {
  assert.ok(sameAsk(askOf({ grid: "x" }), askOf({ grid: "y", page: 1 })));
  assert.ok(!sameAsk(askOf({}), askOf({ page: 2 })));
});

test("the pager's words", () => {
  assert.deepEqual(span(1, 50, 8), { from: 1, to: 8, pages: 1 });
  assert.deepEqual(span(3, 50, 120), { from: 101, to: 120, pages: 3 });
  assert.deepEqual(span(1, 50, 0), { from: 0, to: 0, pages: 1 });
});

test("a bulk action goes to those that allow it, and says why not to the others", () => {
  const rows = /** @type {any[]} */ ([{ id: "a", state: "RUNNING" }, { id: "b", state: "SUCCESS" }]);
  const info = { action: "kill", title: "Kill", allowed: ["RUNNING"] };
  assert.deepEqual(possible(info, rows), { possible: ["a"], why: "Kill works in RUNNING; the execution is SUCCESS now." });
});

const severity = (/** @type {string} */ state) => ({ FAILED: 9, WARNING: 7, RUNNING: 2 })[state] ?? 0;

test("the title shows the worst state of all views together, and none when all is well", () => {
  const worst = worstOf([{ FAILED: 1, WARNING: 9 }, { FAILED: 2 }], severity);
  assert.equal(titleOf(worst, "Watchfloor"), "✗ 3 failed · Watchfloor");
  assert.equal(titleOf(worstOf([{ RUNNING: 5, FAILED: 0 }], severity), "Watchfloor"), "Watchfloor");
});

/** @param {object} changes @returns {any} */
const status = (changes) => ({ phase: "live", since: 0, age_ms: 38, next_at: null, problems: [], notes: [], ...changes });

test("the lamp's words", () => {
  assert.deepEqual([lampText(status({}), 0).word, lampText(status({}), 0).age], ["live", "38 ms"]);
  assert.equal(lampText(status({ phase: "reconnecting", next_at: 5_100 }), 1_000).word, "reconnecting in 5 s");
  assert.match(lampText(status({ phase: "stale", problems: ["Redis away"] }), 0).word, /^stale since \d\d:\d\d:\d\d$/);
  assert.equal(lampText(status({ phase: "stale", problems: ["Redis away", "executor silent"] }), 0).problems, "Redis away · executor silent");
});
