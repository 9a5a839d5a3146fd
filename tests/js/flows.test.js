import assert from "node:assert/strict";
import { test } from "node:test";

import { heights, keyOf, Strips } from "../../assets/js/flows/strip.js";

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

test("heights follow the duration, and the shortest can still be seen", () => {
  assert.deepEqual(heights([100, 400, NaN, 0]), [0.5, 1, 0.18, 0.18]);
  assert.deepEqual(heights([]), []);
});
