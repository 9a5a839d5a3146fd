// The server's clock as seen from here, and the last moment that is confirmed. No I/O; times in ms.

export class Clock {
  /** @param {() => number} [local] this computer's clock */
  constructor(local = Date.now) {
    this.local = local;
    this.offset = 0;
    this.best = Infinity;
    this.confirmed = 0;
  }

  /** A question left at `sent` and its answer, the server's time, came at `received`: the quickest one is believed.
   * @param {number} sent @param {number} server @param {number} received */
  measured(sent, server, received) {
    const trip = received - sent;
    if (!Number.isFinite(server) || trip < 0 || trip > this.best) return;
    this.best = trip;
    this.offset = server - (sent + trip / 2);
  }

  /** Believe the next answer: clocks drift, and after a new connection the way may be another. */
  forget() {
    this.best = Infinity;
  }

  /** The server's time now. */
  now() {
    return this.local() + this.offset;
  }

  /** Everything up to this moment of the server's clock is known here. @param {number} at */
  confirm(at) {
    if (at > this.confirmed) this.confirmed = at;
  }
}
