import assert from "node:assert/strict";
import { test } from "node:test";

import { again } from "../../assets/js/frame/again.js";

/** A page whose confirmed moment and lamp are told by the test; `asked` counts how often the page was asked for anew. */
function world() {
  let now = 50_000;
  let asked = 0;
  /** @type {any} */
  let look = null;
  /** @type {any} */
  let handlers = null;
  const wished = /** @type {any[]} */ ([]);
  Object.assign(globalThis, { window: { dash_clientside: { set_props: () => (asked += 1) } } });
  const live = {
    confirmedNow: () => now,
    onStatus: (/** @type {any} */ listener) => ((look = listener), () => (look = null)),
    subscribe: (/** @type {any[]} */ ...wish) => (wished.push(wish.slice(0, 2)), (handlers = wish[2]), { close: () => (handlers = null) }),
  };
  return {
    live, wished,
    pass: (/** @type {number} */ ms, phase = "live") => ((now += ms), look?.({ phase }), asked),
    count: (/** @type {number} */ total) => handlers.snapshot({ rows: [], ids: [], total, counts: {} }),
    rest: () => [look, handlers],
  };
}

/** @param {any} live @param {string} filters @returns {any} */
const mounted = (live, filters) => again(/** @type {any} */ (null), { filters }, live);

test("what could not be shown is asked for again once all is live, and less often while that doesn't help", () => {
  const { live, pass, rest } = world();
  const view = mounted(live, "");
  assert.equal(pass(500), 0, "the lamp may not have heard of it yet");
  assert.equal(pass(60_000, "stale"), 0);
  assert.equal(pass(250), 1);
  assert.deepEqual([pass(1_900), pass(100)], [1, 2]);
  assert.deepEqual([pass(3_900), pass(100)], [2, 3]);
  view.unmount();
  assert.deepEqual(rest(), [null, null]);
});

test("an execution that isn't there yet is asked for when it is", () => {
  const { live, pass, count, wished, rest } = world();
  const view = mounted(live, "filters[id][EQUALS]=x");
  assert.deepEqual(wished, [["executions", { filters: "filters[id][EQUALS]=x", size: 1 }]]);
  count(0);
  assert.equal(pass(10_000), 0);
  count(1);
  assert.equal(pass(0), 1);
  view.unmount();
  assert.deepEqual(rest(), [null, null]);
});
