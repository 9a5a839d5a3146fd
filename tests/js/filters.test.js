// The list's address, its filters as chips, and what the bar offers for what is typed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { askOf, filtersOf, format, nextSort, parse, partOf, sameAsk, statesOf, withStates } from "../../assets/js/executions/address.js";
import { add, branch, drop, put, tidy } from "../../assets/js/executions/conditions.js";
import { condition, timeOf, timeWords, withOp, withTime, words } from "../../assets/js/executions/fields.js";
import { begun, having, options } from "../../assets/js/executions/suggest.js";
import { edited, expanded, queryOf } from "../../assets/js/executions/saved.js";
import { read } from "../../assets/js/executions/values.js";

/** @type {any[]} */
const FIELDS = [
  { name: "state", title: "State", widget: "choice", op: "IN", ops: [["IN", "is any of"], ["NOT_IN", "is none of"]], hint: "", choices: ["RUNNING", "FAILED"] },
  { name: "namespace", title: "Namespace", widget: "values", op: "IN", ops: [["IN", "is any of"], ["NOT_IN", "is none of"], ["CONTAINS", "contains"]], hint: "", choices: [] },
  { name: "labels", title: "Label", widget: "label", op: "EQUALS", ops: [["EQUALS", "is"], ["NOT_EQUALS", "is not"]], hint: "", choices: [] },
  { name: "timeRange", title: "Time range", widget: "range", op: "EQUALS", ops: [["EQUALS", "is"]], hint: "", choices: [] },
  { name: "q", title: "Text", widget: "text", op: "EQUALS", ops: [["EQUALS", "is"]], hint: "", choices: [] },
];
const RANGES = [{ value: "PT1H", title: "Last hour" }, { value: "PT24H", title: "Last 24 hours" }];
const FAILED = { field: "state", op: "IN", values: ["FAILED"] };
const PROD = { field: "labels", op: "EQUALS", key: "env", values: ["prod"] };
const flow = (/** @type {string} */ name) => ({ field: "flowId", op: "EQUALS", values: [name] });

test("an address that names a view is written as it was read", () => {
  for (const address of [
    "",
    "?filters[state][IN]=FAILED,WARNING&page=2",
    "?filters[q][EQUALS]=x%20%26%20y&filters[labels][EQUALS][env]=prod&sort=duration:asc&size=100",
    "?filters[or][0][flowId][EQUALS]=a&filters[or][0][state][IN]=FAILED&filters[or][1][labels][EQUALS][a%5Db]=x%3Dy",
    "?filters[flowId][IN]=a%5C,b,c%5C%5Cd",
    "?filters[flowId][EQUALS]=a,b&dateFilter=END_DATE&columns=state,flow:220&view=v1",
  ]) {
    assert.equal(format(parse(address)), address);
  }
});

test("defaults are not written, and equal lists become one", () => {
  const one = "?page=1&size=50&sort=startDate:desc&filters%5Bstate%5D%5BIN%5D=FAILED&filters[state][IN]=KILLED";
  assert.equal(format(parse(one)), "?filters[state][IN]=FAILED,KILLED");
});

test("the flat parameters of older clients are filters", () => {
  assert.equal(format(parse("?state=FAILED&namespace=a.b&labels=env:prod&q=")), "?filters[state][IN]=FAILED&filters[namespace][PREFIX]=a.b&filters[labels][EQUALS][env]=prod");
});

test("page and size are whole numbers from 1 on", () => {
  for (const wrong of ["0", "-3", "x", "7x", "1.5", ""]) assert.equal(parse(`?page=${wrong}`).page, 1, wrong);
  assert.equal(parse("?page=12").page, 12);
});

test("what the server is asked for has the filters that always hold, and no columns", () => {
  const ask = askOf(parse("?filters[state][IN]=FAILED&columns=flow&page=3&dateFilter=END_DATE"), "filters[flowId][EQUALS]=a");
  assert.deepEqual(ask, { filters: "filters[flowId][EQUALS]=a&filters[state][IN]=FAILED&dateFilter=END_DATE", sort: "startDate:desc", page: 3, size: 50 });
  assert.ok(sameAsk(ask, { ...ask }) && !sameAsk(ask, { ...ask, page: 2 }));
});

test("states of a view, and the same view of others", () => {
  const view = parse("?filters[state][IN]=FAILED,KILLED&filters[namespace][IN]=a");
  assert.deepEqual(statesOf(view), ["FAILED", "KILLED"]);
  assert.equal(filtersOf(withStates(view, [])), "filters[namespace][IN]=a");
  assert.equal(filtersOf(withStates(view, ["RUNNING"])), "filters[state][IN]=RUNNING&filters[namespace][IN]=a");
});

test("a refusal names the part of the address, so that its chip is found", () => {
  assert.equal(partOf(FAILED), "filters[state][IN]");
  assert.equal(partOf(PROD, 1), "filters[or][1][labels][EQUALS][env]");
});

test("a column sorts falling first, then rising", () => {
  assert.deepEqual(["startDate:desc", "namespace:desc", "namespace:asc"].map((sort) => nextSort(sort, "namespace")), ["namespace:desc", "namespace:asc", "namespace:desc"]);
});

test("a further value joins its chip, another operator makes a chip of its own", () => {
  const parts = { conditions: [FAILED], groups: [] };
  assert.deepEqual(add(parts, { field: "state", op: "IN", values: ["KILLED"] }).conditions, [{ ...FAILED, values: ["FAILED", "KILLED"] }]);
  assert.equal(add(parts, { field: "state", op: "NOT_IN", values: ["KILLED"] }).conditions.length, 2);
  assert.deepEqual(add({ conditions: [PROD], groups: [] }, { ...PROD, values: ["dev"] }).conditions, [{ ...PROD, values: ["dev"] }]);
});

test("a chip becomes alternatives, and a single alternative is none", () => {
  const forked = branch({ conditions: [FAILED, PROD], groups: [] }, 0);
  assert.deepEqual(tidy(forked), { conditions: [PROD, FAILED], groups: [] });
  const two = put(forked, { group: 1, index: 0 }, flow("a"));
  assert.equal(filtersOf(two), "filters[labels][EQUALS][env]=prod&filters[or][0][state][IN]=FAILED&filters[or][1][flowId][EQUALS]=a");
  assert.deepEqual(drop(two, { group: 0, index: 0 }), { conditions: [PROD, flow("a")], groups: [] });
  assert.deepEqual(drop(put(two, { group: 1, index: 1 }, flow("b")), { group: 1, index: 0 }).groups, [[FAILED], [flow("b")]]);
});

test("a chip in words", () => {
  const many = { field: "namespace", op: "IN", values: ["a", "b", "c", "d", "e"] };
  assert.deepEqual(words(FAILED, FIELDS, RANGES), { title: "State", op: "is", value: "FAILED", whole: "FAILED" });
  assert.deepEqual(words(many, FIELDS, RANGES), { title: "Namespace", op: "is any of", value: "a, b, c +2", whole: "a, b, c, d, e" });
  assert.equal(words(PROD, FIELDS, RANGES).value, "env:prod");
  assert.equal(words({ field: "unknown", op: "LESS_THAN", values: ["3"] }, FIELDS, RANGES).op, "less than");
});

test("the time is one thing, however it is written", () => {
  const from = { field: "startDate", op: "GREATER_THAN_OR_EQUAL_TO", values: ["2026-01-31T12:00:00Z"] };
  const later = withTime([FAILED, from], { range: "PT1H" });
  assert.deepEqual(later, [FAILED, { field: "timeRange", op: "EQUALS", values: ["PT1H"] }]);
  assert.equal(timeWords(later, RANGES), "Last hour");
  assert.equal(timeWords(withTime(later, {}), RANGES), "Any time");
  const ended = withTime([from], { from: "2026-01-31T12:00:00Z", until: "2026-02-01T00:00:00Z" }, "END_DATE");
  assert.deepEqual(ended.map(({ field }) => field), ["startDate", "endDate"]);
  assert.match(timeWords(ended, RANGES, "END_DATE"), /^ended from 2026-01-31 .+ until 2026/);
  assert.deepEqual(withTime(ended, timeOf(ended, "END_DATE"), "", "END_DATE").map(({ field }) => field), ["startDate", "startDate"]);
  assert.deepEqual(timeOf([from]), { range: "", from: "2026-01-31T12:00:00Z", until: "" });
  assert.match(timeWords([from], RANGES), /^from 2026-01-31 \d\d:\d\d$/);
});

test("another operator takes the first of a list where it takes one", () => {
  assert.deepEqual(withOp({ field: "namespace", op: "IN", values: ["a", "b"] }, "CONTAINS").values, ["a"]);
  assert.deepEqual(withOp({ field: "namespace", op: "CONTAINS", values: ["a"] }, "NOT_IN").values, ["a"]);
});

test("the bar offers a search first, then values that have the text, then fields", () => {
  const known = { namespace: [{ value: "company.fails", count: 3 }, { value: "fa", count: 9 }] };
  const found = options("fa", FIELDS, known, RANGES);
  assert.deepEqual(found.map(({ group, title }) => `${group} ${title}`), ["Search fa", "State FAILED", "Namespace fa", "Namespace company.fails"]);
  assert.deepEqual(found[1].condition, FAILED);
  assert.equal(found[3].count, 3);
  assert.deepEqual(options("last h", FIELDS, {}, RANGES).at(-1)?.condition, { field: "timeRange", op: "EQUALS", values: ["PT1H"] });
  assert.deepEqual(options("", FIELDS, {}, RANGES).map(({ field }) => field?.name), ["state", "namespace", "labels", "timeRange"]);
});

test("a field can be named, denied, and given any value that it takes", () => {
  assert.deepEqual(begun("State != fa", FIELDS), { field: FIELDS[0], not: true, rest: "fa" });
  assert.deepEqual(options("state!=fa", FIELDS, {}, RANGES)[0].condition, { field: "state", op: "NOT_IN", values: ["FAILED"] });
  assert.deepEqual(options("namespace:new", FIELDS, {}, RANGES)[0].condition, { field: "namespace", op: "IN", values: ["new"] });
  assert.deepEqual(options("state:nothing", FIELDS, {}, RANGES)[0].field, FIELDS[0]);
  assert.deepEqual(options("env:prod", FIELDS, {}, RANGES)[1].condition, PROD);
  const keys = options("en", FIELDS, { labels: [{ value: "env:", count: 4 }] }, RANGES).find(({ group }) => group === "Label");
  assert.deepEqual([keys?.more, keys?.condition], ["env:", undefined]);
  assert.deepEqual(condition(FIELDS[2], "team:a:b"), { field: "labels", op: "EQUALS", key: "team", values: ["a:b"] });
});

test("values with or without counts", () => {
  assert.deepEqual(read(["a"]), [{ value: "a" }]);
  assert.deepEqual(read([{ value: 3, count: 7 }]), [{ value: "3", count: 7 }]);
  assert.deepEqual(having([{ value: "prod.ab" }, { value: "ab" }], "AB").map(({ value }) => value), ["ab", "prod.ab"]);
});

test("an address that only names a saved view, or says nothing where there is a default, stands for it", () => {
  /** @type {any} */
  const views = [{ id: "a1", query: "filters[state][IN]=FAILED&size=100" }, { id: "b2", query: "sort=duration:desc", default: true }];
  assert.equal(expanded("?view=a1", views), "?filters[state][IN]=FAILED&size=100&view=a1");
  assert.equal(expanded("", views), "?sort=duration:desc&view=b2");
  assert.equal(expanded("", views.slice(0, 1)), null);
  assert.equal(expanded("?view=a1&sort=startDate:desc", views), null, "says itself what is meant");
  assert.equal(expanded("?view=gone", views), null);
});

test("a view is another one than what was saved when anything but its page differs", () => {
  /** @type {any} */
  const saved = { query: "filters[state][IN]=FAILED&columns=state,flow" };
  const now = parse("?filters[state][IN]=FAILED&columns=state,flow&page=4&view=a1");
  assert.equal(queryOf(now), saved.query);
  assert.ok(!edited(now, saved));
  assert.ok(edited({ ...now, columns: "state" }, saved));
});
