import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { KEYS, listenToKeys } from "../../assets/js/executions/keys.js";

/** What the page's document does here: it hears keys, and knows whether a dialog is open. */
function fakeDocument() {
  /** @type {Set<(event: any) => void>} */
  const heard = new Set();
  const found = { dialog: false };
  Object.assign(globalThis, {
    document: {
      addEventListener: (/** @type {string} */ kind, /** @type {any} */ listener) => kind === "keydown" && heard.add(listener),
      removeEventListener: (/** @type {string} */ _, /** @type {any} */ listener) => heard.delete(listener),
      querySelector: () => (found.dialog ? {} : null),
    },
  });
  /** Press a key; whether it was ours. @param {string} key @param {object} [more] @param {string} [inside] what the target is */
  const press = (key, more = {}, inside = "div") => {
    let ours = false;
    const target = { closest: (/** @type {string} */ selector) => (selector.split(/[ ,]+/).some((one) => one.split(":")[0] === inside) ? {} : null) };
    for (const listener of heard) listener({ key, target, preventDefault: () => (ours = true), ...more });
    return ours;
  };
  return { heard, found, press };
}

/** A table that notes what it is asked for, and knows one action's key. */
function fakeTable() {
  /** @type {string[]} */
  const calls = [];
  const note = (/** @type {string} */ name) => (/** @type {any[]} */ ...given) => calls.push([name, ...given].join(" "));
  const table = Object.fromEntries(["move", "toggle", "takeAll", "firstError", "release", "menu", "open"].map((name) => [name, note(name)]));
  return { calls, table: { ...table, act: (/** @type {string} */ key) => (calls.push(`act ${key}`), key === "r") } };
}

test("each key asks the table for one thing, and is taken from the page", () => {
  const { press } = fakeDocument();
  const { calls, table } = fakeTable();
  listenToKeys(table);
  for (const key of ["j", "k", "x", "a", "e", "n", ".", "Enter"]) assert.ok(press(key), key);
  assert.deepEqual(calls, ["move 1", "move -1", "toggle", "takeAll", "firstError", "release", "menu", "open"]);
});

test("other keys are for the table of actions; what it doesn't know stays the page's", () => {
  const { press } = fakeDocument();
  const { calls, table } = fakeTable();
  listenToKeys(table);
  assert.deepEqual([press("r"), press("z"), press("/")], [true, false, false]);
  assert.deepEqual(calls, ["act r", "act z", "act /"]);
});

test("keys are not ours with a modifier, where somebody writes, or under a dialog or a menu", () => {
  const { press, found } = fakeDocument();
  const { calls, table } = fakeTable();
  listenToKeys(table);
  for (const modifier of ["ctrlKey", "metaKey", "altKey"]) assert.equal(press("j", { [modifier]: true }), false);
  for (const inside of ["input", "textarea", "select"]) assert.equal(press("j", {}, inside), false);
  found.dialog = true;
  assert.equal(press("r"), false);
  assert.deepEqual(calls, []);
});

test("Enter on a button or a link is theirs; other keys there are ours", () => {
  const { press } = fakeDocument();
  const { calls, table } = fakeTable();
  listenToKeys(table);
  assert.equal(press("Enter", {}, "button"), false);
  assert.equal(press("Enter", {}, "a"), false);
  assert.ok(press("j", {}, "button"));
  assert.deepEqual(calls, ["move 1"]);
});

test("who stops listening hears nothing more", () => {
  const { heard, press } = fakeDocument();
  const { calls, table } = fakeTable();
  listenToKeys(table)();
  assert.equal(heard.size, 0);
  assert.equal(press("j"), false);
  assert.deepEqual(calls, []);
});

test("no key means two things: those of actions, of the list, of an execution's page, of every page", () => {
  const looks = readFileSync(new URL("../../dashboard/components/action_looks.py", import.meta.url), "utf8");
  const actions = [...looks.matchAll(/key="(.)"/g)].map(([, key]) => key);
  assert.ok(actions.length > 8);
  const taken = new Set([...Object.keys(KEYS), "g", "/", "?"]); // j, k and `.` are an execution's page's too
  assert.equal(new Set(actions).size, actions.length);
  assert.deepEqual(actions.filter((key) => taken.has(key)), []);
});

test("a key that the page has taken already, as the second of g e, does nothing in the list", () => {
  const { press } = fakeDocument();
  const { calls, table } = fakeTable();
  listenToKeys(table);
  assert.equal(press("e", { defaultPrevented: true }), false);
  assert.deepEqual(calls, []);
});
