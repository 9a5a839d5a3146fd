// The scripts that load before Dash: times.
import assert from "node:assert/strict";
import { test } from "node:test";

await import("../../assets/js/clientside/times.js");
const times = /** @type {any} */ (globalThis).wfTimes;

test("a time of today is a clock, another day's has its date", () => {
  const now = new Date(2026, 4, 6, 12, 0, 0);
  assert.equal(times.words(new Date(2026, 4, 6, 7, 8, 9), now), "07:08:09");
  assert.equal(times.words(new Date(2026, 3, 1, 7, 8, 9), now), "04-01 07:08:09");
  assert.equal(times.words(new Date(2025, 11, 31, 23, 0, 0), now), "2025-12-31 23:00:00");
});
