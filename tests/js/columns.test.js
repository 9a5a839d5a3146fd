// The list's columns: in the address, in the grid, by hand.
import assert from "node:assert/strict";
import { test } from "node:test";

import { columnsOf, formatColumns, moved, parseColumns, pinned, stateOf, toggled, usual } from "../../assets/js/executions/columns.js";

const KNOWN = [
  { id: "state", title: "State", wide: 0 }, { id: "flow", title: "Flow", wide: 0 }, { id: "end", title: "Ended", wide: null },
  { id: "trigger", title: "Trigger", wide: 1280 }, { id: "id", title: "Id", wide: 0 },
];
const NARROW = 1100;
const ids = (/** @type {{id: string}[]} */ columns) => columns.map(({ id }) => id).join(" ");

test("a wider table shows more unless something else is said", () => {
  assert.equal(ids(usual(KNOWN, NARROW)), "state flow id");
  assert.equal(ids(parseColumns("", KNOWN, 1500)), "state flow trigger id");
});

test("columns in the address are read as they were written, and what is wrong in it is left out", () => {
  const text = "flow:220:l,end,id:r";
  assert.deepEqual(parseColumns(text, KNOWN, NARROW), [{ id: "flow", width: 220, pin: "left" }, { id: "end" }, { id: "id", pin: "right" }]);
  assert.equal(formatColumns(parseColumns(text, KNOWN, NARROW), KNOWN, NARROW), text);
  assert.deepEqual(parseColumns("nope,flow:x:9,flow:70,state:1", KNOWN, NARROW), [{ id: "flow", width: 40 }, { id: "state", width: 40 }]);
  assert.equal(ids(parseColumns("nope", KNOWN, NARROW)), "state flow id");
  assert.equal(formatColumns(usual(KNOWN, NARROW), KNOWN, NARROW), "");
});

test("a column comes where it usually stands, the last one stays", () => {
  const columns = usual(KNOWN, NARROW);
  assert.equal(ids(toggled(columns, "end", KNOWN)), "state flow end id");
  assert.equal(ids(toggled([{ id: "id" }], "state", KNOWN)), "state id");
  assert.equal(ids(toggled(columns, "flow", KNOWN)), "state id");
  assert.equal(ids(toggled([{ id: "id" }], "id", KNOWN)), "id");
});

test("columns move and are pinned", () => {
  const columns = usual(KNOWN, NARROW);
  assert.equal(ids(moved(columns, "id", "state")), "id state flow");
  assert.equal(ids(moved(columns, "state", "flow")), "flow state id");
  assert.deepEqual(pinned(columns, "flow")[1], { id: "flow", pin: "left" });
  assert.deepEqual(pinned(pinned(columns, "flow"), "flow"), columns);
});

test("the grid gets all columns in their order, and gives back what was done by hand", () => {
  const definitions = [{ colId: "state", width: 100 }, { colId: "flow", flex: 2 }, { colId: "end", width: 90 }, { colId: "id", width: 80 }, { colId: "menu", width: 120 }];
  const columns = parseColumns("id,flow:220:l", KNOWN, NARROW);
  const state = stateOf(columns, definitions);
  assert.deepEqual(state.map(({ colId, hide }) => [colId, hide]), [["ag-Grid-SelectionColumn", false], ["id", false], ["flow", false], ["menu", false], ["state", true], ["end", true]]);
  assert.deepEqual([state[2].width, state[2].flex, state[2].pinned, state[1].flex], [220, null, "left", null]);
  const after = [{ colId: "flow", width: 220, pinned: "left" }, { colId: "id", width: 131.4 }, { colId: "menu", width: 120 }, { colId: "end", hide: true, width: 90 }];
  assert.deepEqual(columnsOf(after, columns, "id"), [{ id: "flow", width: 220, pin: "left" }, { id: "id", width: 131 }]);
  assert.deepEqual(columnsOf(after, columns, null)[1], { id: "id" });
});
