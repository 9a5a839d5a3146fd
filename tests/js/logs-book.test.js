import assert from "node:assert/strict";
import { test } from "node:test";

import { Book } from "../../assets/js/logs/book.js";
import { Finder, step } from "../../assets/js/logs/find.js";
import { PAGE } from "../../assets/js/logs/lines.js";
import { logsAddress, restQuery, topicParams } from "../../assets/js/logs/query.js";

const entry = (/** @type {number} */ seq, /** @type {string | null} */ run = "r1", /** @type {any} */ rest = {}) =>
  ({ seq, execution_id: "e", task_id: run && "t", task_run_id: run, attempt: 1, number: seq, date: "2026-03-05T12:00:00Z", level: "INFO", message: `line ${seq}`, ...rest });
const group = (/** @type {string | null} */ run, /** @type {number} */ total, /** @type {number} */ last_seq, errors = 0) =>
  ({ task_run_id: run, task_id: run && "t", total, last_seq, errors });
const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

/** A book with a server of our own. @param {any} [options] */
function setUp({ byTask = false, answers = {}, filters = {} } = {}) {
  /** @type {any} */
  const world = { asked: [], changes: 0, came: [], handlers: null, topic: null, closed: false };
  world.book = new Book({
    id: "e/1",
    filters,
    byTask,
    live: {
      subscribe(/** @type {string} */ topic, /** @type {any} */ params, /** @type {any} */ handlers) {
        Object.assign(world, { topic: [topic, params], handlers });
        return { close: () => (world.closed = true) };
      },
    },
    fetchJson: async (address) => {
      const url = new URL(address, "http://x");
      world.asked.push(url.pathname.split("/").at(-1) + url.search);
      const answer = /** @type {any} */ (answers)[url.pathname.split("/").at(-1) ?? ""];
      return typeof answer === "function" ? answer(url.searchParams) : answer;
    },
    isOpen: () => true,
    changed: () => (world.changes += 1),
    came: (entries) => world.came.push(...entries),
    now: () => world.clock ?? 0,
  });
  return world;
}

test("the filter travels to the topic and to the API under their names", () => {
  const filters = { level: "WARN", task: "t", taskRun: "r", attempt: 2 };
  assert.deepEqual(topicParams("e", filters), { execution_id: "e", min_level: "WARN", task_id: "t", task_run_id: "r", attempt: 2 });
  assert.equal(restQuery(filters, { offset: 0 }).toString(), "minLevel=WARN&taskId=t&taskRunId=r&attempt=2&offset=0");
  assert.equal(restQuery({ level: "TRACE" }).toString(), "");
  assert.equal(logsAddress("e/1", "hits", new URLSearchParams()), "/api/v1/main/logs/e%2F1/hits");
});

test("by time: what is looked at is fetched once, what comes is appended where the server counts it", async () => {
  const window = (/** @type {URLSearchParams} */ query) => ({ entries: Array.from({ length: PAGE }, (_, i) => entry(Number(query.get("offset")) + i + 1)) });
  const world = setUp({ answers: { window } });
  world.handlers.snapshot({ total: 1000, last_seq: 1000 });
  assert.equal(world.book.sections.rows, 1000);
  world.book.ensure([{ section: 0, line: 500 }, { section: 0, line: 520 }]);
  world.book.ensure([{ section: 0, line: 501 }]);
  await settled();
  assert.deepEqual(world.asked, [`window?offset=400&limit=${PAGE}`]);
  assert.equal(world.book.entry({ section: 0, line: 510 }).seq, 511);
  world.handlers.items([{ t: "lines", total: 1002, entries: [entry(1001), entry(1002)] }]);
  assert.equal(world.book.sections.rows, 1002);
  assert.equal(world.book.entry({ section: 0, line: 1001 }).seq, 1002);
  assert.equal(world.came.length, 2);
});

test("skipped lines are counted, and a hole that is fetched when looked at", async () => {
  const window = { entries: [entry(1), ...[2, 3, 4].map((seq) => entry(seq))] };
  const world = setUp({ answers: { window } });
  world.handlers.snapshot({ total: 1, last_seq: 1 });
  world.handlers.items([{ t: "skipped", count: 3, first_seq: 2, last_seq: 4 }, { t: "lines", total: 5, entries: [entry(5)] }]);
  assert.equal(world.book.skipped, 3);
  assert.equal(world.book.total, 5);
  world.book.ensure([{ section: 0, line: 2 }]);
  await settled();
  assert.equal(world.book.entry({ section: 0, line: 2 }).seq, 3);
});

test("by task: groups as the server has them, what comes meanwhile is taken once", async () => {
  /** @type {(value: any) => void} */
  let answer = () => {};
  const world = setUp({ byTask: true, answers: { groups: () => new Promise((resolve) => (answer = resolve)) } });
  world.handlers.snapshot({ total: 5, last_seq: 5 });
  world.handlers.items([{ t: "lines", total: 7, entries: [entry(6, "r1"), entry(7, "r2", { level: "ERROR" })] }]);
  assert.equal(world.book.ready, false);
  await settled();
  answer({ groups: [group("r1", 5, 6), group(null, 1, 2)] }); // counted line 6 already
  await settled();
  const counts = () => world.book.sections.sections.map((/** @type {any} */ one) => [one.key, one.count]);
  assert.deepEqual(counts(), [["r1", 5], ["", 1], ["r2", 1]]);
  assert.equal(world.book.groups.get("r2").errors, 1);
  world.handlers.items([{ t: "lines", total: 8, entries: [entry(8, "r1")] }]);
  assert.deepEqual(counts(), [["r1", 6], ["", 1], ["r2", 1]]);
  assert.equal(world.book.entry({ section: 0, line: 5 }).seq, 8);
});

test("by task: a group's lines are asked for by its task run, the execution's own by their place", async () => {
  const world = setUp({ byTask: true, filters: { level: "INFO" }, answers: { groups: { groups: [group("r1", 3, 9), group(null, 2, 8)] }, window: { entries: [entry(4, null), entry(8, null), entry(9, "r1")] } } });
  world.handlers.snapshot({ total: 5, last_seq: 9 });
  await settled();
  world.book.ensure([{ section: 0, line: 0 }, { section: 1, line: 1 }]);
  await settled();
  assert.deepEqual(world.asked.slice(1).sort(), [`window?minLevel=INFO&offset=3&limit=${PAGE}&order=task`, `window?minLevel=INFO&taskRunId=r1&offset=0&limit=${PAGE}`]);
  assert.deepEqual([world.book.entry({ section: 1, line: 1 }).seq, world.book.entry({ section: 1, line: 2 })], [8, undefined]);
});

test("a window that fails is told, and asked for again later", async () => {
  const world = setUp({ answers: { window: () => Promise.reject(new Error("the database is away")) } });
  world.handlers.snapshot({ total: 10, last_seq: 10 });
  world.book.ensure([{ section: 0, line: 0 }]);
  await settled();
  assert.equal(world.book.problem, "the database is away");
  world.book.ensure([{ section: 0, line: 0 }]);
  assert.equal(world.asked.length, 1, "not at once");
  world.clock = 5000;
  world.book.ensure([{ section: 0, line: 0 }]);
  assert.equal(world.asked.length, 2);
  world.book.close();
  assert.ok(world.closed);
});

test("the next hit is the one behind where one is, and around the end", () => {
  const indexes = [3, 10, 20];
  assert.deepEqual([step(indexes, -1, 1), step(indexes, 3, 1), step(indexes, 11, 1), step(indexes, 20, 1)], [0, 1, 2, 0]);
  assert.deepEqual([step(indexes, 99, -1), step(indexes, 10, -1), step(indexes, 3, -1), step([], 3, 1)], [2, 0, 2, -1]);
});

test("the finder counts, goes on from the current hit, and keeps it when asked again", async () => {
  /** @type {string[]} */
  const asked = [];
  let hits = { total: 3, indexes: [5, 9, 30] };
  const finder = new Finder({
    id: "e",
    fetchJson: async (address) => {
      asked.push(address);
      return hits;
    },
    changed: () => {},
    query: () => ({ filters: { task: "t" }, order: "task" }),
  });
  await finder.seek({ needle: "disk full" });
  assert.equal(asked[0], "/api/v1/main/logs/e/hits?taskId=t&order=task&needle=disk+full");
  assert.deepEqual([finder.text, finder.current], ["3", -1]);
  assert.equal(finder.go(1, 7), 9);
  assert.equal(finder.text, "2 / 3");
  hits = { total: 1200, indexes: [2, 5, 9, 30] };
  await finder.renew();
  assert.deepEqual([finder.current, finder.text], [9, "3 / 1200, first 4"]);
  finder.point(77);
  assert.equal(finder.go(1, 0), 30);
  await finder.seek({});
  assert.deepEqual([finder.active, finder.text, asked.length], [false, "", 2]);
});
