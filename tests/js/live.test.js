import assert from "node:assert/strict";
import { test } from "node:test";

import { delay } from "../../assets/js/live/backoff.js";
import { Clock } from "../../assets/js/live/clock.js";
import { Live } from "../../assets/js/live/socket.js";
import { statusOf } from "../../assets/js/live/status.js";
import { ListStore } from "../../assets/js/live/store.js";

const at = (/** @type {number} */ ms) => new Date(ms).toISOString();
const START = 1_000_000;

/** @param {string} id @param {number} version @param {string} [state] */
const row = (id, version, state = "RUNNING") => ({
  id, version, state, namespace: "n", flow_id: "f", revision: 1, start_date: at(0), changed_at: at(version),
});

/** A beat when all is well. @param {number} now @param {object} [changes] */
const beat = (now, changes = {}) => ({
  at: at(now), executor_at: at(now), sources: {}, lag_ms: 0, redis: null, database: null, executor: null, dead_letters: 0, dropped: 0, ...changes,
});

/** A page whose time and timers stand still until told, on a server that only remembers. */
function world() {
  let now = START;
  /** @type {{run: () => void, at: number}[]} */
  let timers = [];
  /** @type {{[event: string]: (...args: any[]) => void}} */
  const handlers = {};
  /** @type {any[][]} */
  const sent = [];
  const socket = {
    connected: false,
    connects: 0,
    connect() { this.connects += 1; },
    disconnect() { handlers.disconnect?.(); },
    on: (/** @type {string} */ event, /** @type {any} */ handler) => { handlers[event] = handler; },
    emit: (/** @type {any[]} */ ...args) => { sent.push(args); },
  };
  /** @type {(() => void)[]} */
  const paints = [];
  /** @type {any[]} */
  const painted = [];
  const live = new Live(socket, {
    local: () => now,
    random: () => 1,
    afterPaint: (drawn, done) => paints.push(() => (drawn(), done())),
    painted: (what) => painted.push(what),
    timers: {
      setTimeout: (run, ms) => { const timer = { run, at: now + ms }; timers.push(timer); return timer; },
      clearTimeout: (timer) => { timers = timers.filter((other) => other !== timer); },
      setInterval: () => 0,
      clearInterval: () => {},
    },
  });
  live.start();
  return {
    live, socket, sent, painted,
    hear: (/** @type {string} */ event, /** @type {any[]} */ ...args) => handlers[event](...args),
    paint: () => paints.splice(0).forEach((run) => run()),
    wishes: () => sent.filter(([event]) => event === "subscribe"),
    later(/** @type {number} */ ms) {
      now += ms;
      const due = timers.filter((timer) => timer.at <= now);
      timers = timers.filter((timer) => timer.at > now);
      due.forEach((timer) => timer.run());
      live.watch();
    },
  };
}

/** What a view is told, as a list. */
function view() {
  /** @type {any[]} */
  const told = [];
  return {
    told,
    handlers: {
      snapshot: (/** @type {any} */ snapshot) => told.push(["snapshot", snapshot]),
      items: (/** @type {any[]} */ items) => told.push(["items", ...items]),
      resumed: () => told.push(["resumed"]),
      lost: () => told.push(["lost"]),
      refused: (/** @type {string} */ error) => told.push(["refused", error]),
    },
  };
}

const frame = (/** @type {any[]} */ items, cursor = "2-0", rest = {}) =>
  JSON.stringify({ topic: "t", cursor, mark: `m.${cursor}`, sent_at: at(START), items, ...rest });

test("backoff doubles up to a cap, with jitter below it", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 20].map((attempt) => delay(attempt, () => 1));
  assert.deepEqual(longest, [400, 800, 1600, 3200, 6400, 8000, 8000, 8000]);
  assert.equal(delay(20, () => 0), 4000);
});

test("the quickest answer tells the time, and the confirmed moment never goes back", () => {
  const clock = new Clock(() => 1000);
  clock.measured(1000, 6500, 2000);
  assert.equal(clock.offset, 5000);
  clock.measured(1000, 5900, 1800);
  assert.equal(clock.offset, 4500);
  clock.measured(1000, 9999, 1900);
  assert.equal(clock.offset, 4500, "a slower one is not believed");
  clock.confirm(50);
  clock.confirm(20);
  assert.equal(clock.confirmed, 50);
});

test("a row never goes back to a lower version, whichever way it comes", () => {
  const store = new ListStore();
  store.replace({ rows: [row("a", 5)], ids: ["a"], total: 1, counts: { RUNNING: 1 } });
  const changed = store.fold([{ t: "row", row: row("a", 4, "CREATED") }]);
  assert.equal(changed.rows.size, 0);
  assert.equal(store.rows.get("a")?.state, "RUNNING");
  store.replace({ rows: [row("a", 3, "CREATED")], ids: ["a"], total: 1, counts: {} });
  assert.equal(store.rows.get("a")?.version, 5);
});

test("a window without ids keeps the order; unknown tags are left alone", () => {
  const store = new ListStore();
  store.replace({ rows: [row("a", 1), row("b", 1)], ids: ["b", "a"], total: 2, counts: { RUNNING: 2 } });
  const changed = store.fold([{ t: "window", total: 3, counts: { RUNNING: 3 } }, { t: "of-the-future" }]);
  assert.deepEqual([store.ids, store.total, changed.order, changed.counts], [["b", "a"], 3, false, true]);
});

test("a row that is gone leaves, whatever the window says", () => {
  const store = new ListStore();
  store.replace({ rows: [row("a", 1), row("b", 1)], ids: ["a", "b"], total: 2, counts: {} });
  assert.equal(store.fold(/** @type {any} */ ([{ t: "gone", id: "a" }])).order, true);
  assert.deepEqual([...store.rows.keys()], ["b"]);
  assert.equal(store.fold(/** @type {any} */ ([{ t: "gone", id: "never" }])).order, false);
});

test("rows in nobody's sight are forgotten, those of a frozen order are not", () => {
  const store = new ListStore();
  store.replace({ rows: [row("a", 1), row("b", 1), row("c", 1)], ids: ["a"], total: 3, counts: {} });
  store.prune(["b"]);
  assert.deepEqual([...store.rows.keys()], ["a", "b"]);
});

test("snapshot, then frames, each acknowledged after its paint", () => {
  const { live, hear, wishes, paint, painted } = world();
  const { told, handlers } = view();
  live.subscribe("t", { a: 1 }, handlers);
  hear("connect");
  const [, wish, answer] = wishes()[0];
  assert.deepEqual(wish, { sub: "1", topic: "t", params: { a: 1 }, cursor: null, mark: null });
  answer({ ok: true, cursor: "1-0", mark: "m.1", snapshot: '{"x":1}' });
  let acked = 0;
  hear("frame", "1", frame([{ t: "row" }]), () => { acked += 1; });
  assert.deepEqual(told, [["snapshot", { x: 1 }], ["items", { t: "row" }]]);
  assert.equal(acked, 0);
  paint();
  assert.equal(acked, 1);
  assert.deepEqual(painted.map(({ topic, cursor }) => [topic, cursor]), [["t", "2-0"]]);
});

test("a frame that overtakes the answer waits for it", () => {
  const { live, hear, wishes } = world();
  const { told, handlers } = view();
  live.subscribe("t", {}, handlers);
  hear("connect");
  hear("frame", "1", frame([{ t: "row" }]), () => {});
  assert.deepEqual(told, []);
  wishes()[0][2]({ ok: true, cursor: "1-0", mark: "m.1", snapshot: "1" });
  assert.deepEqual(told, [["snapshot", 1], ["items", { t: "row" }]]);
});

test("after a lost connection the last cursor is sent and a resume replaces nothing", () => {
  const { live, hear, wishes, later, socket } = world();
  const { told, handlers } = view();
  live.subscribe("t", {}, handlers);
  hear("connect");
  wishes()[0][2]({ ok: true, cursor: "1-0", mark: "m.1", snapshot: "1" });
  hear("frame", "1", frame([], "7-0"), () => {});
  hear("disconnect");
  assert.equal(live.status.phase, "reconnecting");
  later(400);
  assert.equal(socket.connects, 2);
  hear("connect");
  assert.equal(live.status.phase, "catching_up");
  const [, wish, answer] = wishes()[1];
  assert.deepEqual([wish.cursor, wish.mark], ["7-0", "m.7-0"]);
  wishes()[0][2]({ ok: true, cursor: "0-0", snapshot: "late" });
  answer({ ok: true, cursor: "9-0", mark: "m.9", resumed: 1, items: '[{"t":"row"}]' });
  assert.deepEqual(told.map(([what]) => what), ["snapshot", "items", "lost", "resumed", "items"]);
});

test("a frame with a snapshot replaces everything", () => {
  const { live, hear, wishes } = world();
  const { told, handlers } = view();
  live.subscribe("t", {}, handlers);
  hear("connect");
  wishes()[0][2]({ ok: true, cursor: "1-0", mark: "m.1", snapshot: "1" });
  hear("frame", "1", frame([], "5-0", { items: undefined, snapshot: { fresh: true } }), () => {});
  assert.deepEqual(told.at(-1), ["snapshot", { fresh: true }]);
});

test("the database away is asked again, a bad wish is not", () => {
  const { live, hear, wishes, later } = world();
  const { told, handlers } = view();
  live.subscribe("t", {}, handlers);
  hear("connect");
  wishes()[0][2]({ ok: false, error: "The database is away", retry: true });
  later(1_000);
  wishes()[1][2]({ ok: false, error: "no such field", retry: false });
  later(10_000);
  assert.equal(wishes().length, 2);
  assert.deepEqual(told, [["refused", "no such field"]]);
});

test("a closed subscription is left, and a frame on its way is acknowledged and dropped", () => {
  const { live, hear, wishes, sent } = world();
  const { told, handlers } = view();
  const subscription = live.subscribe("t", {}, handlers);
  hear("connect");
  wishes()[0][2]({ ok: true, cursor: "1-0", mark: "m.1", snapshot: "1" });
  subscription.close();
  let acked = false;
  hear("frame", "1", frame([{ t: "row" }]), () => { acked = true; });
  assert.ok(acked);
  assert.deepEqual(sent.at(-1), ["unsubscribe", { sub: "1" }]);
  assert.equal(told.length, 1);
});

test("the lamp's phases, from connecting to live, stale and back", () => {
  const { live, hear, later, wishes } = world();
  assert.equal(live.status.phase, "connecting");
  live.subscribe("t", {}, {});
  hear("connect");
  assert.equal(live.status.phase, "catching_up");
  wishes()[0][2]({ ok: true, cursor: "1-0", mark: "m.1", snapshot: "1" });
  hear("heartbeat", beat(START));
  assert.equal(live.status.phase, "live");
  hear("heartbeat", beat(START, { redis: "Connection refused" }));
  assert.deepEqual([live.status.phase, live.status.problems], ["stale", ["Redis away"]]);
  hear("heartbeat", beat(START, { database: "file is gone", executor: "silent for 2 s" }));
  assert.deepEqual(live.status.problems, ["database away", "executor silent"]);
  hear("heartbeat", beat(START + 1_000, { lag_ms: 4_000 }));
  assert.equal(live.status.phase, "catching_up");
  hear("heartbeat", beat(START + 1_000, { dead_letters: 3 }));
  assert.deepEqual([live.status.phase, live.status.notes], ["live", ["3 malformed put aside"]]);
  hear("heartbeat", beat(START + 1_000, { dropped: 2 }));
  assert.deepEqual(live.status.notes, ["2 left out at a cap in the last 5 min"]);
  later(2_600);
  assert.deepEqual([live.status.phase, live.status.problems], ["stale", ["no heartbeat"]]);
});

test("what runs ticks to the last confirmed moment only", () => {
  const { live, hear, later } = world();
  hear("connect");
  hear("heartbeat", beat(START));
  later(60_000);
  hear("heartbeat", beat(START + 60_000, { executor_at: at(START), executor: "silent for 60 s" }));
  assert.equal(live.confirmedNow(), START);
  hear("heartbeat", beat(START + 60_000, { lag_ms: 250 }));
  assert.equal(live.confirmedNow(), START + 59_750);
});

test("silent too long, the connection is made anew", () => {
  const { hear, later, live } = world();
  hear("connect");
  hear("heartbeat", beat(START));
  later(12_500);
  assert.equal(live.status.phase, "reconnecting");
});

test("who is signed out is told so", () => {
  const { hear, live } = world();
  hear("connect_error", new Error("login required"));
  assert.deepEqual([live.status.phase, live.status.problems], ["reconnecting", ["signed out"]]);
});

test("a gateway that can't ask the database names it, and nobody is signed out by that", () => {
  const { hear, live } = world();
  live.signedOut = () => assert.fail("nobody was signed out");
  hear("connect");
  hear("disconnect");
  hear("connect_error", new Error("database away"));
  assert.deepEqual([live.status.phase, live.status.problems], ["reconnecting", ["database away"]]);
  hear("connect_error", new Error("xhr poll error"));
  assert.deepEqual([live.status.phase, live.status.problems], ["reconnecting", []]);
  hear("connect");
  assert.deepEqual(live.status.problems, []);
});

test("a status is a value: stale says since when nothing is confirmed", () => {
  const facts = {
    connected: true, everConnected: true, refused: null, nextAt: null, since: 10, heartbeat: null, heardAt: 10, waiting: 0, confirmed: 5, ageMs: null,
  };
  assert.deepEqual(statusOf(facts, 9_999), { phase: "stale", since: 5, age_ms: null, next_at: null, problems: ["no heartbeat"], notes: [] });
});
