// Which lines the palette shows for a text.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fit, ranked } from "../../assets/js/frame/ranking.js";

const line = (/** @type {string} */ group, /** @type {string} */ title, more = {}) => ({ group, title, run: () => undefined, ...more });

test("a beginning fits best, then a word's beginning, then any part, then all words in any order", () => {
  assert.deepEqual(["nightly-load", "my-nightly", "finightly", "load of the night"].map((title) => fit(title, "night")), [0, 1, 2, 1]);
  assert.equal(fit("Switch between light and dark", "dark light"), 3);
  assert.equal(fit("Executions", "flow"), null);
});

test("groups stay in their order, the best line of each on top, eight of each at most", () => {
  const lines = [line("Pages", "Executions"), line("Pages", "Flows"), line("Flows", "flaky"), ...Array.from({ length: 12 }, (_, n) => line("Many", `fl ${n}`))];
  const found = ranked(lines, "fl");
  assert.deepEqual(found.slice(0, 2).map(({ title }) => title), ["Flows", "flaky"]);
  assert.equal(found.filter(({ group }) => group === "Many").length, 8);
});

test("a line is found by its other words, and one that always stands comes last of its group", () => {
  const lines = [line("A", "Zebra", { always: true }), line("A", "Switch", { words: "theme" }), line("A", "theme")];
  assert.deepEqual(ranked(lines, "theme").map(({ title }) => title), ["Switch", "theme", "Zebra"]);
  const greyed = [line("A", "Kill", { disabled: "it is over" }), line("A", "Kill all")];
  assert.deepEqual(ranked(greyed, "kill").map(({ title }) => title), ["Kill all", "Kill"]);
});
