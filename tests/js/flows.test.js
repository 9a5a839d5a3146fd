import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { heights, keyOf, Strips } from "../../assets/js/flows/strip.js";
import { flowStrips } from "../../assets/js/flows/view.js";
import { configure } from "../../assets/js/states.js";

/** @param {string} id @param {number} minute @param {number} [version] @param {string} [state] @returns {any} */
const row = (id, minute, version = 1, state = "RUNNING") => ({
  id, version, state, namespace: "demo", flow_id: "etl", revision: 1, start_date: `2026-03-05T12:${String(minute).padStart(2, "0")}:00Z`, changed_at: "",
});
const ids = (/** @type {Strips} */ strips) => (strips.byFlow.get("demo/etl") ?? []).map((one) => one.id);

test("the newest are kept, oldest first, in whatever order they come", () => {
  const strips = new Strips(3);
  for (const [id, minute] of [["c", 3], ["a", 1], ["d", 4], ["b", 2]]) strips.put(row(String(id), Number(minute)));
  assert.deepEqual(ids(strips), ["b", "c", "d"]);
  assert.equal(strips.put(row("a", 1)), null, "too old to be shown");
});

test("a newer version replaces, an older one does not", () => {
  const strips = new Strips(3);
  assert.equal(strips.put(row("a", 1, 2, "SUCCESS")), "demo/etl");
  assert.equal(strips.put(row("a", 1, 1, "RUNNING")), null);
  assert.equal(strips.byFlow.get("demo/etl")?.[0].state, "SUCCESS");
  assert.equal(keyOf(row("a", 1)), "demo/etl");
});

test("a flow stands as its newest execution does", () => {
  const strips = new Strips(3);
  for (const one of [row("a", 1, 1, "FAILED"), row("b", 2, 1, "SUCCESS"), { ...row("c", 1, 1, "FAILED"), flow_id: "other" }]) strips.put(one);
  assert.deepEqual(strips.newest, { SUCCESS: 1, FAILED: 1 });
});

test("heights follow the duration, and the shortest can still be seen", () => {
  assert.deepEqual(heights([100, 400, NaN, 0]), [0.5, 1, 0.18, 0.18]);
  assert.deepEqual(heights([]), []);
});

test("what a list of the newest does not hold is named, what may still change first; what is gone leaves its place", () => {
  const strips = new Strips(3);
  for (const one of [row("a", 1, 1, "SUCCESS"), row("b", 2), row("c", 3)]) strips.put(one);
  const terminal = (/** @type {string} */ state) => state === "SUCCESS";
  assert.deepEqual(strips.strays(new Set(["c"]), terminal), ["b", "a"]);
  assert.deepEqual([strips.remove("b"), strips.remove("b"), ids(strips)], ["demo/etl", null, ["a", "c"]]);
});

test("bars that have left the list of the newest are followed by their ids until they are gone", () => {
  mock.timers.enable({ apis: ["setInterval"] });
  configure([{ state: "SUCCESS", terminal: true, token: "success", shape: "check", letter: "S", severity: 0 }]);
  Object.assign(globalThis, { document: { hidden: false, title: "", getElementById: () => null }, requestAnimationFrame: () => 1, cancelAnimationFrame: () => {} });
  let now = 0;
  /** @type {any[]} */
  const open = [];
  const live = {
    confirmedNow: () => (now += 1),
    subscribe(/** @type {string} */ topic, /** @type {any} */ params, /** @type {any} */ handlers) {
      const one = { topic, ids: params.ids, ...handlers };
      open.push(one);
      return { close: () => open.splice(open.indexOf(one), 1) };
    },
  };
  const element = /** @type {any} */ ({ addEventListener() {}, querySelectorAll: () => [] });
  const view = flowStrips(element, { rows: [row("a", 1), row("b", 2), row("c", 3)] }, live);
  const followed = () => open.filter(({ topic }) => topic === "rows").map((one) => one.ids);
  open[0].snapshot({ rows: [row("c", 3), row("d", 4)], ids: ["d", "c"] });
  assert.deepEqual(followed(), [["a", "b"]]);
  open[1].snapshot({ rows: [row("a", 1, 2, "SUCCESS")] }); // the store has no b
  open[0].items([{ t: "row", row: row("e", 5) }, { t: "window", ids: ["e", "d"] }]);
  mock.timers.tick(3_000);
  assert.deepEqual(followed(), [["c", "a"]], "b left its strip");
  open[1].items([{ t: "gone", id: "c" }]);
  open[0].items([{ t: "window", ids: ["e"] }]);
  mock.timers.tick(3_000);
  assert.deepEqual(followed(), [["d", "a"]]);
  view.unmount();
  assert.deepEqual(open, []);
  mock.timers.reset();
});
