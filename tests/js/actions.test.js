import assert from "node:assert/strict";
import { test } from "node:test";

import { items } from "../../assets/js/actions/menu.js";
import { bulkEntries, entries, ofKey, primary, quick, refusal, roleIn, taskEntries } from "../../assets/js/actions/model.js";
import { menuStep } from "../../assets/js/execution/popup.js";
import { chosenWords, widerWords } from "../../assets/js/executions/bulk.js";
import { pace, words } from "../../assets/js/operations/progress.js";
import { Selection } from "../../assets/js/executions/selection.js";

/** @param {string} action @param {object} [more] @returns {import("../../assets/js/actions/model.js").ActionInfo} */
const info = (action, more = {}) => {
  const title = action[0].toUpperCase() + action.slice(1);
  return { action, title, allowed: [], least: "operator", permits: `${title} an execution`, icon: action, group: 0, bulk: true, ...more };
};

const TABLE = [
  info("restart", { allowed: ["FAILED"], primary: ["FAILED"], key: "r", quick: true }),
  info("resume", { allowed: ["PAUSED"], group: 1, task: { title: "Resume", execution: [], run: ["PAUSED"] } }),
  info("kill", { allowed: ["RUNNING", "PAUSED"], primary: ["RUNNING"], danger: true, group: 3, quick: true }),
  info("step", { allowed: ["BREAKPOINT"], bulk: false, group: 3 }),
  info("change", { allowed: ["FAILED"], group: null, task: { title: "Change state", execution: ["FAILED"], run: ["PAUSED"] } }),
];
const OPERATOR = { actions: TABLE, role: "operator" };
const names = (/** @type {any[]} */ shown) => shown.map((one) => (one.info ?? one).action);

test("an execution's menu has every action but those of task runs, greyed in the server's words", () => {
  const shown = entries(OPERATOR, { state: "FAILED", namespace: "a" });
  assert.deepEqual(names(shown), ["restart", "resume", "kill", "step"]);
  assert.deepEqual(shown.map(({ why }) => why === null), [true, false, false, false]);
  assert.equal(shown[2].why, "Kill works in RUNNING, PAUSED; the execution is FAILED now.");
  assert.match(refusal(TABLE[0], undefined) ?? "", /not loaded/);
});

test("what is greyed can't be pressed, and groups are parted by lines", () => {
  /** @type {string[]} */
  const pressed = [];
  const shown = items(entries(OPERATOR, { state: "FAILED" }), ({ action }) => pressed.push(action));
  assert.deepEqual(shown.map((item) => item && item.label), ["Restart", null, "Resume", null, "Kill", "Step"]);
  assert.equal(shown[0]?.disabled, null);
  assert.match(shown[4]?.disabled ?? "", /Kill works in/);
  shown[0]?.run?.();
  assert.deepEqual(pressed, ["restart"]);
});

test("what works only when one insists is offered: its dialog asks", () => {
  const actions = [info("delete", { allowed: ["FAILED"], insisted: ["RUNNING"], form: true })];
  const why = (/** @type {string} */ state, role = "operator") => entries({ actions, role }, { state })[0].why;
  assert.equal(why("RUNNING"), null);
  assert.equal(why("FAILED"), null);
  assert.equal(why("QUEUED"), "Delete works in FAILED; the execution is QUEUED now.");
  assert.match(why("RUNNING", "viewer") ?? "", /you need the role operator/);
  assert.equal(bulkEntries({ actions, role: "operator" }, [{ state: "RUNNING" }])[0].why, null);
});

test("what was removed allows nothing, and says so", () => {
  assert.ok(entries(OPERATOR, { state: "FAILED", gone: true }).every(({ why }) => why === "The execution was removed."));
});

test("the header's buttons are what one needs in the state; the rows' are the quick ones", () => {
  assert.deepEqual(names(primary(OPERATOR, "FAILED")), ["restart"]);
  assert.deepEqual(names(primary(OPERATOR, "RUNNING")), ["kill"]);
  assert.deepEqual(primary(OPERATOR, undefined), []);
  assert.deepEqual(names(quick(OPERATOR)), ["restart", "kill"]);
  assert.equal(ofKey(OPERATOR, "r")?.action, "restart");
  assert.equal(ofKey(OPERATOR, "z"), undefined);
});

test("a role counts where it was given and below, the better one of two", () => {
  const config = { role: "viewer", grants: { "a.b": "operator", "a.b.c": "viewer" } };
  assert.equal(roleIn(config, "a"), "viewer");
  assert.equal(roleIn(config, "a.b"), "operator");
  assert.equal(roleIn(config, "a.b.c.d"), "operator");
  assert.equal(roleIn(config, "a.bc"), "viewer");
  assert.equal(roleIn(config), "operator");
  assert.equal(roleIn({}), "none");
});

test("a viewer's actions are greyed by the role, whatever the state", () => {
  const viewer = { actions: TABLE, role: "viewer", grants: { own: "operator" } };
  const [restart] = entries(viewer, { state: "FAILED", namespace: "other" });
  assert.equal(restart.why, "To restart an execution you need the role operator in other; yours is viewer.");
  assert.equal(entries(viewer, { state: "FAILED", namespace: "own.below" })[0].why, null);
});

test("a task run's menu: by the execution's state or by its own", () => {
  const shown = (/** @type {string} */ state, /** @type {string} */ run) =>
    Object.fromEntries(taskEntries(OPERATOR, { state }, run).map(({ info: one, why }) => [one.action, why]));
  assert.deepEqual(shown("FAILED", "FAILED"), {
    resume: "Resume works while the task run is PAUSED; the execution is FAILED, the task run FAILED now.",
    change: null,
  });
  assert.deepEqual(shown("PAUSED", "PAUSED"), { resume: null, change: null });
  assert.match(shown("RUNNING", "SUCCESS").change ?? "", /while the execution is FAILED or the task run is PAUSED/);
  assert.equal(taskEntries(OPERATOR, { state: "FAILED" }, "FAILED")[1].title, "Change state");
});

test("the bulk bar says on how many an action works, and greys what works on none", () => {
  const shown = bulkEntries(OPERATOR, [{ state: "FAILED" }, { state: "RUNNING" }, { state: "FAILED" }]);
  assert.deepEqual(shown.map(({ info: one, able }) => [one.action, able]), [["restart", 2], ["resume", 0], ["kill", 1]]);
  assert.deepEqual(shown.map(({ why }) => why === null), [true, false, true]);
});

test("of all that match nothing is known here: only the role greys", () => {
  assert.ok(bulkEntries(OPERATOR, []).every(({ why }) => why === null));
  assert.ok(bulkEntries({ actions: TABLE, role: "viewer" }, []).every(({ why }) => why?.includes("you need the role operator")));
  assert.ok(bulkEntries({ actions: TABLE, role: "viewer", grants: { a: "operator" } }, []).every(({ why }) => why === null));
});

test("the bar's words", () => {
  const selection = new Selection();
  selection.replace(/** @type {any[]} */ ([{ id: "a" }]));
  assert.equal(chosenWords(selection), "1 execution selected");
  selection.selectAll("filters[state][IN]=FAILED", 48210);
  assert.match(chosenWords(selection), /^all 48.?210 executions that match$/);
});

test("keys in a menu go round, and to its ends", () => {
  assert.equal(menuStep("ArrowDown", 2, 3), 0);
  assert.equal(menuStep("ArrowUp", 0, 3), 2);
  assert.equal(menuStep("ArrowDown", -1, 3), 0);
  assert.equal(menuStep("ArrowUp", -1, 3), 2);
  assert.equal(menuStep("End", 0, 3), 2);
  assert.equal(menuStep("Home", 2, 3), 0);
  assert.equal(menuStep("x", 0, 3), null);
});

test("the way to all that match is offered once a whole page is selected", () => {
  const selection = new Selection();
  const matching = { filters: "", total: 300, page: 2 };
  selection.replace(/** @type {any[]} */ ([{ id: "a" }]));
  assert.equal(widerWords(selection, matching), null);
  selection.replace(/** @type {any[]} */ ([{ id: "a" }, { id: "b" }]));
  assert.equal(widerWords(selection, matching), "Select all 300 that match");
  assert.equal(widerWords(selection, { ...matching, total: 2 }), null);
  selection.selectAll("", 300);
  assert.equal(widerWords(selection, matching), null);
});

const operation = (/** @type {object} */ more) =>
  ({ id: "o", action: "kill", actor: "ada", origin: "ui", state: "RUNNING", total: 1000, created_at: "2026-01-01T00:00:00Z", ...more });

test("how far an operation is, in words", () => {
  const half = operation({ done: 450, refused: 40, unknown: 10, started_at: "2026-01-01T00:00:00Z" });
  assert.equal(words(half), "450 of 1\u202f000 executions done · 40 refused · 10 not found · 500 to go");
  assert.match(pace(half, Date.parse("2026-01-01T00:00:10Z")), /^about 10.* left$/);
  const stopped = operation({ state: "STOPPED", done: 5, started_at: "2026-01-01T00:00:00Z", ended_at: "2026-01-01T00:00:03Z" });
  assert.equal(words(stopped), "5 of 1\u202f000 executions done · 995 left out");
  assert.match(pace(stopped, 0), /^stopped in 3/);
  assert.match(pace(operation({ state: "STOPPING" }), 0), /^stopping/);
});
