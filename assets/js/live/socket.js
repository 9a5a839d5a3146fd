// The one connection of the page: subscriptions, acknowledgements, resume, heartbeat, reconnect.
import { delay } from "./backoff.js";
import { Clock } from "./clock.js";
import { afterPaint } from "./paint.js";
import { SILENT_MS, statusOf } from "./status.js";
import { Subscription } from "./subscription.js";

/**
 * @typedef {import("./types.js").Frame} Frame
 * @typedef {import("./types.js").Answer} Answer
 * @typedef {import("./types.js").Handlers} Handlers
 * @typedef {import("./types.js").Heartbeat} Heartbeat
 * @typedef {import("./types.js").Socket} Socket
 * @typedef {import("./types.js").Status} Status
 * @typedef {{setTimeout: (run: () => void, ms: number) => any, clearTimeout: (timer: any) => void,
 *   setInterval: (run: () => void, ms: number) => any, clearInterval: (timer: any) => void}} Timers
 * @typedef {{local?: () => number, random?: () => number, afterPaint?: typeof afterPaint, timers?: Timers,
 *   painted?: (painted: import("./types.js").Painted) => void, signedOut?: () => void}} Options
 */

const SNAPSHOT_RETRY_MS = 1_000;
const HALF_OPEN_MS = 12_000; // silent so long, a connection is given up and made anew
const CLOCK_GOOD_MS = 20; // a trip as quick as this tells the time well enough
const CLOCK_ASK_MS = 1_000;
const CLOCK_ANEW_MS = 60_000;
const LOOK_MS = 250;
const SIGNED_OUT = "signed out";
/** What the lamp says when the gateway refuses the connection with these words. @type {Record<string, string>} */
const REFUSALS = { "login required": SIGNED_OUT, "database away": "database away" };

/** @type {Timers} */
const TIMERS = {
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  setInterval: (run, ms) => setInterval(run, ms),
  clearInterval: (timer) => clearInterval(timer),
};

export class Live {
  /** @param {Socket} socket not connected yet, without a reconnect of its own @param {Options} [options] */
  constructor(socket, options = {}) {
    this.socket = socket;
    this.clock = new Clock(options.local);
    this.random = options.random ?? Math.random;
    this.afterPaint = options.afterPaint ?? afterPaint;
    this.painted = options.painted ?? (() => {});
    this.signedOut = options.signedOut ?? (() => {});
    this.timers = options.timers ?? TIMERS;
    /** @type {Map<string, Subscription>} */
    this.subscriptions = new Map();
    /** @type {Set<(status: Status) => void>} */
    this.listeners = new Set();
    this.next = 0;
    this.attempt = 0;
    /** @type {any} */
    this.retry = null;
    this.facts = {
      connected: false,
      everConnected: false,
      refused: /** @type {string | null} */ (null),
      nextAt: /** @type {number | null} */ (null),
      since: this.clock.now(),
      heartbeat: /** @type {Heartbeat | null} */ (null),
      heardAt: 0,
      ageMs: /** @type {number | null} */ (null),
    };
    this.hear();
  }

  hear() {
    this.socket.on("connect", () => this.connected());
    this.socket.on("disconnect", () => this.disconnected());
    this.socket.on("connect_error", (error) => this.failed(error));
    this.socket.on("heartbeat", (heartbeat) => this.beat(heartbeat));
    this.socket.on("frame", (sub, text, acked) => this.framed(sub, text, acked));
  }

  /** Begin. */
  start() {
    this.look = this.timers.setInterval(() => this.watch(), LOOK_MS);
    this.asking = this.timers.setInterval(() => this.clock.best > CLOCK_GOOD_MS && this.askClock(), CLOCK_ASK_MS);
    this.doubting = this.timers.setInterval(() => this.clock.forget(), CLOCK_ANEW_MS);
    this.socket.connect();
  }

  /** End, for good. */
  stop() {
    this.timers.clearInterval(this.look);
    this.timers.clearInterval(this.asking);
    this.timers.clearInterval(this.doubting);
    this.timers.clearTimeout(this.retry);
    this.socket.disconnect();
  }

  // -- what views use

  /**
   * Look at a topic. @param {string} topic @param {object} params @param {Handlers} handlers
   * @returns {{close: () => void}}
   */
  subscribe(topic, params, handlers) {
    this.next += 1;
    const subscription = new Subscription(String(this.next), topic, params, handlers);
    this.subscriptions.set(subscription.sub, subscription);
    if (this.facts.connected) this.wish(subscription);
    return { close: () => this.close(subscription) };
  }

  /** @param {Subscription} subscription */
  close(subscription) {
    subscription.state = "closed";
    this.subscriptions.delete(subscription.sub);
    if (this.facts.connected) this.socket.emit("unsubscribe", { sub: subscription.sub });
  }

  /** The last moment of the server's clock up to which everything is known here; what runs ticks up to there. */
  confirmedNow() {
    return this.clock.confirmed || this.clock.now();
  }

  /** How live the page is now. @returns {Status} */
  get status() {
    const waiting = [...this.subscriptions.values()].filter(({ state }) => state === "waiting").length;
    return statusOf({ ...this.facts, waiting, confirmed: this.clock.confirmed }, this.clock.now());
  }

  /** Be told when the status may have changed, a few times a second. @param {(status: Status) => void} listener */
  onStatus(listener) {
    this.listeners.add(listener);
    listener(this.status);
    return () => void this.listeners.delete(listener);
  }

  // -- the connection

  connected() {
    Object.assign(this.facts, { connected: true, everConnected: true, refused: null, nextAt: null, heartbeat: null });
    this.facts.since = this.facts.heardAt = this.clock.now();
    this.attempt = 0;
    this.clock.forget();
    this.askClock();
    for (const subscription of this.subscriptions.values()) this.wish(subscription);
    this.tell();
  }

  disconnected() {
    Object.assign(this.facts, { connected: false, since: this.clock.now() });
    for (const subscription of this.subscriptions.values()) subscription.lost();
    this.reconnect();
  }

  /** @param {Error} error */
  failed(error) {
    this.facts.refused = REFUSALS[error?.message] ?? null;
    if (this.facts.refused === SIGNED_OUT) this.signedOut();
    this.reconnect();
  }

  reconnect() {
    const wait = delay(this.attempt, this.random);
    this.attempt += 1;
    this.facts.nextAt = this.clock.local() + wait;
    this.timers.clearTimeout(this.retry);
    this.retry = this.timers.setTimeout(() => this.socket.connect(), wait);
    this.tell();
  }

  /** The network is back: don't wait any longer. */
  hurry() {
    if (this.facts.connected || this.facts.nextAt === null) return;
    this.timers.clearTimeout(this.retry);
    this.attempt = 0;
    this.socket.connect();
  }

  askClock() {
    if (!this.facts.connected) return;
    const sent = this.clock.local();
    this.socket.emit("clock", (/** @type {string} */ at) => this.clock.measured(sent, Date.parse(at), this.clock.local()));
  }

  /** @param {Heartbeat} heartbeat */
  beat(heartbeat) {
    this.facts.heartbeat = heartbeat;
    this.facts.heardAt = this.clock.now();
    const healthy = !heartbeat.redis && !heartbeat.database && !heartbeat.executor;
    if (healthy && heartbeat.executor_at) this.clock.confirm(Date.parse(heartbeat.executor_at) - heartbeat.lag_ms);
    this.tell();
  }

  watch() {
    const silent = this.clock.now() - this.facts.heardAt;
    if (this.facts.connected && silent > Math.max(HALF_OPEN_MS, SILENT_MS)) this.socket.disconnect();
    this.tell();
  }

  tell() {
    const status = this.status;
    for (const listener of this.listeners) listener(status);
  }

  // -- subscriptions

  /** @param {Subscription} subscription */
  wish(subscription) {
    const attempt = subscription.attempt;
    this.socket.emit("subscribe", subscription.wish(), (/** @type {Answer} */ answer) => {
      if (subscription.state !== "waiting" || subscription.attempt !== attempt) return;
      this.answered(subscription, answer);
    });
  }

  /** @param {Subscription} subscription @param {Answer} answer */
  answered(subscription, answer) {
    if (answer.ok) {
      for (const frame of subscription.answered(answer)) subscription.take(frame);
    } else if (answer.retry) {
      this.timers.setTimeout(() => this.facts.connected && subscription.state === "waiting" && this.wish(subscription), SNAPSHOT_RETRY_MS);
    } else {
      subscription.refuse(answer.error ?? "refused");
    }
    this.tell();
  }

  /** @param {string} sub @param {string} text @param {() => void} acked */
  framed(sub, text, acked) {
    const subscription = this.subscriptions.get(sub);
    if (!subscription) return acked();
    /** @type {Frame} */
    const frame = JSON.parse(text);
    if (subscription.state === "waiting") subscription.early.push(frame);
    else subscription.take(frame);
    return this.afterPaint(acked, () => this.onPainted(frame));
  }

  /** @param {Frame} frame */
  onPainted(frame) {
    const at = this.clock.now();
    if (frame.source_at) {
      this.clock.confirm(Math.min(at, Date.parse(frame.source_at)));
      this.facts.ageMs = Math.max(0, Math.round(at - Date.parse(frame.source_at)));
    }
    this.painted({ topic: frame.topic, cursor: frame.cursor, at });
  }
}
