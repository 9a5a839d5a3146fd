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

test("another tab of the page that is shown is no other visit", async () => {
  const tabs = ["/executions/x/overview", "/executions/x/gantt"];
  Object.assign(globalThis, { window: globalThis, document: { querySelectorAll: () => tabs.map((pathname) => ({ pathname })) } });
  await import("../../assets/js/clientside/callbacks.js");
  const { no_update: same = undefined, watchfloor } = /** @type {any} */ (globalThis).dash_clientside;
  assert.equal(watchfloor.visit("/executions/x/gantt", "/executions/x"), same);
  assert.equal(watchfloor.visit("/executions/x/overview", "/executions/x/gantt"), same);
  assert.equal(watchfloor.visit("/flows", "/executions/x"), "/flows");
  assert.equal(watchfloor.visit("/executions/x/gantt", "/executions/y"), "/executions/x/gantt", "y is on its way");
  assert.equal(watchfloor.visit("/executions/x", null), "/executions/x");
});
