// Exports of the list: where the file is, and what is said of one.
import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, share, words } from "../../assets/js/executions/export.js";

/** @type {import("../../assets/js/executions/export.js").Progress} */
const HALF = { id: "one", format: "csv", state: "RUNNING", rows: 500_000, total: 1_000_000, bytes: 1_048_576 };

test("the file is asked for with the list's filters and sort", () => {
  const ask = { filters: "filters[state][IN]=FAILED,WARNING", sort: "startDate:desc" };
  assert.equal(
    addressOf("csv", ask, "an-id"),
    "/api/v1/main/executions/export/by-query/csv?filters[state][IN]=FAILED,WARNING&sort=startDate:desc&export=an-id",
  );
  assert.equal(addressOf("parquet", { filters: "", sort: "id:asc" }, "an-id").split("?")[1], "sort=id:asc&export=an-id");
});

test("progress is said in rows, its end in rows and bytes", () => {
  assert.match(words(HALF), /^500\D000 of 1\D000\D000$/);
  assert.match(words({ ...HALF, state: "SUCCESS", rows: 1_000_000 }), /^1\D000\D000 rows, 1/);
  assert.match(words({ ...HALF, state: "CANCELLED" }), /^cancelled at 500\D000 rows$/);
  assert.equal(words({ ...HALF, state: "FAILED", error: "no space" }), "failed: no space");
  assert.match(words({ ...HALF, format: "parquet", rows: 1_000_000 }), /^sending/);
});

test("a file of nothing is done at once", () => {
  assert.equal(share(HALF), 0.5);
  assert.equal(share({ ...HALF, rows: 0, total: 0 }), 1);
  assert.equal(share({ ...HALF, rows: 3, total: 2 }), 1);
});
