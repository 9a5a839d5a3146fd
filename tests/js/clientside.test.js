// The scripts that load before Dash: the list's address, times.
import assert from "node:assert/strict";
import { test } from "node:test";

await import("../../assets/js/clientside/filters.js");
await import("../../assets/js/clientside/times.js");
const { parse, format, filters, words } = /** @type {any} */ (globalThis).wfFilters;
const times = /** @type {any} */ (globalThis).wfTimes;

test("an address that names a view is written as it was read", () => {
  for (const address of [
    "",
    "?filters[state][IN]=FAILED,WARNING&page=2",
    "?filters[namespace][IN]=a.b&filters[q][EQUALS]=x%20%26%20y&filters[labels][EQUALS][env]=prod&sort=duration:asc&size=100",
  ]) {
    assert.equal(format(parse(address)), address);
  }
});

test("equal views have equal addresses, whatever the order and the defaults", () => {
  const one = "?page=1&size=50&sort=startDate:desc&filters%5Bq%5D%5BEQUALS%5D=a&filters[state][IN]=FAILED";
  assert.equal(format(parse(one)), "?filters[state][IN]=FAILED&filters[q][EQUALS]=a");
});

test("page and size are whole numbers from 1 on", () => {
  for (const wrong of ["0", "-3", "x", "7x", "1.5", ""]) assert.equal(parse(`?page=${wrong}`).page, 1, wrong);
  assert.equal(parse("?page=12").page, 12);
});

test("filters that no control stands for are kept, and can be read", () => {
  const view = parse("?filters[labels][EQUALS][env]=prod&filters[state][NOT_IN]=SUCCESS");
  assert.deepEqual(view.states, []);
  assert.equal(filters(view), "filters[labels][EQUALS][env]=prod&filters[state][NOT_IN]=SUCCESS");
  assert.equal(words(view.other[0][0]), "labels env equals");
  assert.equal(words(view.other[1][0]), "state not in");
});

test("a time of today is a clock, another day's has its date", () => {
  const now = new Date(2026, 4, 6, 12, 0, 0);
  assert.equal(times.words(new Date(2026, 4, 6, 7, 8, 9), now), "07:08:09");
  assert.equal(times.words(new Date(2026, 3, 1, 7, 8, 9), now), "04-01 07:08:09");
  assert.equal(times.words(new Date(2025, 11, 31, 23, 0, 0), now), "2025-12-31 23:00:00");
});
