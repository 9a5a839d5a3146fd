// One subscription: where it stands, and what its view is told. No I/O.

/**
 * @typedef {import("./types.js").Frame} Frame
 * @typedef {import("./types.js").Answer} Answer
 * @typedef {import("./types.js").Handlers} Handlers
 */

export class Subscription {
  /** @param {string} sub @param {string} topic @param {object} params @param {Handlers} handlers */
  constructor(sub, topic, params, handlers) {
    this.sub = sub;
    this.topic = topic;
    this.params = params;
    this.handlers = handlers;
    /** @type {string | null} */
    this.cursor = null;
    /** @type {string | null} */
    this.mark = null;
    /** @type {"waiting" | "live" | "refused" | "closed"} */
    this.state = "waiting";
    this.attempt = 0;
    /** Frames that came before the answer they belong behind. @type {Frame[]} */
    this.early = [];
  }

  /** The message that starts or resumes it. */
  wish() {
    return { sub: this.sub, topic: this.topic, params: this.params, cursor: this.cursor, mark: this.mark };
  }

  /** The connection is lost. */
  lost() {
    if (this.state === "closed" || this.state === "refused") return;
    this.state = "waiting";
    this.attempt += 1;
    this.early = [];
    if (this.cursor !== null) this.handlers.lost?.();
  }

  /** @param {Answer} answer @returns {Frame[]} frames that came early, to be taken now */
  answered(answer) {
    this.state = "live";
    this.cursor = answer.cursor ?? this.cursor;
    this.mark = answer.mark ?? null;
    if (answer.snapshot !== undefined) this.handlers.snapshot?.(JSON.parse(answer.snapshot));
    else this.handlers.resumed?.();
    const items = answer.items ? JSON.parse(answer.items) : [];
    if (items.length) this.handlers.items?.(items, this.resumeFrame(items));
    return this.early.splice(0);
  }

  /** @param {any[]} items @returns {Frame} */
  resumeFrame(items) {
    return { topic: this.topic, cursor: this.cursor ?? "", mark: this.mark ?? "", sent_at: new Date().toISOString(), items };
  }

  /** @param {string} error */
  refuse(error) {
    this.state = "refused";
    this.handlers.refused?.(error);
  }

  /** @param {Frame} frame */
  take(frame) {
    this.cursor = frame.cursor;
    this.mark = frame.mark;
    if (frame.snapshot !== undefined) this.handlers.snapshot?.(frame.snapshot, frame);
    else this.handlers.items?.(frame.items ?? [], frame);
  }
}
