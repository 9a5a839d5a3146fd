import assert from "node:assert/strict";
import { test } from "node:test";

import { cellsOf } from "../../assets/js/executions/cells.js";
import { Grid } from "../../assets/js/executions/grid.js";
import { Order } from "../../assets/js/executions/order.js";
import { span } from "../../assets/js/executions/pager.js";
import { Selection } from "../../assets/js/executions/selection.js";
import { lampText } from "../../assets/js/frame/lampstate.js";
import { titleOf, worstOf } from "../../assets/js/frame/worst.js";

/** A grid that does what AG Grid does with rows, and counts it. */
class FakeApi {
  constructor() {
    /** @type {any[]} */
    this.nodes = [];
    this.updates = 0;
  }

  isDestroyed() {
    return false;
  }

  /** @param {{add?: any[], remove?: any[]}} steps */
  applyTransaction({ add = [], remove = [] }) {
    const gone = new Set(remove.map(({ place }) => place));
    this.nodes = this.nodes.filter((_, place) => !gone.has(String(place)));
    for (const data of add) this.nodes.push(this.node(data));
  }

  /** @param {any} data */
  node(data) {
    const node = { data, selected: false, isSelected: () => node.selected };
    cellsOf(node).add({ draw: (/** @type {any} */ row) => (assert.equal(row, node.data), (this.updates += 1)) });
    return node;
  }

  /** @param {string} id */
  getRowNode(id) {
    return this.nodes[Number(id)];
  }

  getSelectedNodes() {
    return this.nodes.filter((node) => node.selected);
  }

  /** @param {{nodes: any[], newValue: boolean}} change */
  setNodesSelected({ nodes, newValue }) {
    for (const node of nodes) node.selected = newValue;
  }
}

function gridOf() {
  const api = new FakeApi();
  const rows = new Map([..."abcdef"].map((id) => [id, /** @type {any} */ ({ id })]));
  const selection = new Selection();
  const grid = Object.assign(Object.create(Grid.prototype), { api, ids: [], drawn: [], table: { selection } });
  const shows = () => api.nodes.map(({ data }) => data.id).join("");
  return { api, rows, shows, grid, selection, show: (/** @type {string} */ ids) => grid.show([...ids], rows) };
}

test("the grid shows any order after any other, and touches only places that changed", () => {
  const { api, rows, shows, show } = gridOf();
  for (const ids of ["cba", "dcb", "dcb", "d", "", "fedcba", "abc"]) {
    show(ids);
    assert.equal(shows(), ids);
  }
  api.updates = 0;
  rows.set("b", /** @type {any} */ ({ id: "b", state: "FAILED" }));
  show("abc");
  assert.deepEqual([api.updates, api.nodes[1].data.state], [1, "FAILED"]);
});

test("a selection stays with its executions when the order changes under it, and when they go out of sight", () => {
  const { api, grid, selection, show } = gridOf();
  show("cba");
  api.nodes[0].selected = api.nodes[2].selected = true; // c and a
  selection.see(...grid.ticked());
  show("edc");
  assert.deepEqual(api.nodes.map(({ data, selected }) => [data.id, selected]), [["e", false], ["d", false], ["c", true]]);
  selection.see(...grid.ticked());
  assert.deepEqual(selection.chosen, { ids: ["c", "a"], count: 2 });
});

test("all that match are selected on every page, until one is taken out", () => {
  const { api, grid, selection, show } = gridOf();
  let told = 0;
  selection.onChange(() => (told += 1));
  show("abc");
  selection.selectAll("filters[state][IN]=FAILED", 48210);
  grid.mirror();
  show("def");
  assert.deepEqual(api.nodes.map(({ selected }) => selected), [true, true, true]);
  assert.deepEqual(selection.chosen, { filters: "filters[state][IN]=FAILED", count: 48210 });
  selection.matches(48211);
  assert.deepEqual([selection.count, told], [48211, 2]);
  api.nodes[1].selected = false; // e
  selection.see(...grid.ticked());
  assert.deepEqual(selection.chosen, { ids: ["d", "f"], count: 2 });
});

test("what is selected is known in its newest state", () => {
  const selection = new Selection();
  selection.replace([/** @type {any} */ ({ id: "a", version: 3, state: "RUNNING" })]);
  selection.refresh(new Map([["a", /** @type {any} */ ({ id: "a", version: 4, state: "FAILED" })], ["b", /** @type {any} */ ({ id: "b", version: 1 })]]));
  assert.deepEqual([...selection.rows.values()].map(({ id, state }) => [id, state]), [["a", "FAILED"]]);
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

test("another list takes the place of a frozen one, and is frozen in its turn", () => {
  const order = new Order();
  order.offer(["b", "a"]);
  order.hold("pointer", true);
  order.clear();
  assert.ok(order.offer(["a"]));
  assert.deepEqual([order.shown, order.strays], [["a"], []]);
  assert.ok(!order.offer(["c", "a"]));
});

test("an empty table is never frozen empty", () => {
  const order = new Order();
  order.hold("pointer", true);
  assert.ok(order.offer(["a"]));
});

test("the pager's words", () => {
  assert.deepEqual(span(1, 50, 8), { from: 1, to: 8, pages: 1 });
  assert.deepEqual(span(3, 50, 120), { from: 101, to: 120, pages: 3 });
  assert.deepEqual(span(1, 50, 0), { from: 0, to: 0, pages: 1 });
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
