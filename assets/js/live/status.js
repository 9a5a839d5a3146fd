// How live the page is, from what is known of the connection and of what lies behind it. Values in, values out.

/**
 * @typedef {import("./types.js").Heartbeat} Heartbeat
 * @typedef {import("./types.js").Status} Status
 * @typedef {{connected: boolean, everConnected: boolean, refused: string | null, nextAt: number | null, since: number,
 *   heartbeat: Heartbeat | null, heardAt: number, waiting: number, confirmed: number, ageMs: number | null}} Facts
 *   `since`: of the connection's present state; `heardAt`: of the last heartbeat, or of connecting; both server's clock.
 *   `waiting`: subscriptions without their snapshot.
 */

export const SILENT_MS = 2_500;
const LAG_MS = 1_500;

/** @type {[keyof Heartbeat, string][]} */
const WORDS = [["redis", "Redis away"], ["database", "database away"], ["executor", "executor silent"]];

/** @param {Heartbeat | null} heartbeat */
export function problems(heartbeat) {
  return heartbeat ? WORDS.filter(([key]) => heartbeat[key]).map(([, words]) => words) : [];
}

/** @param {Heartbeat | null} heartbeat */
export function notes(heartbeat) {
  if (!heartbeat) return [];
  const found = [];
  if (heartbeat.dead_letters) found.push(`${heartbeat.dead_letters} malformed put aside`);
  if (heartbeat.dropped) found.push(`${heartbeat.dropped} left out at a cap in the last 5 min`);
  if (heartbeat.lag_ms > LAG_MS) found.push(`executor ${(heartbeat.lag_ms / 1000).toFixed(1)} s behind`);
  return found;
}

/** @param {Facts} facts @param {number} now server's clock @returns {Status} */
export function statusOf(facts, now) {
  const rest = { age_ms: facts.ageMs, next_at: null, problems: problems(facts.heartbeat), notes: notes(facts.heartbeat) };
  if (!facts.connected) {
    const phase = facts.everConnected || facts.refused ? "reconnecting" : "connecting";
    return { ...rest, phase, since: facts.since, next_at: facts.nextAt, problems: facts.refused ? [facts.refused] : [] };
  }
  const stale = facts.confirmed || facts.since;
  if (now - facts.heardAt > SILENT_MS) return { ...rest, phase: "stale", since: stale, problems: ["no heartbeat"] };
  if (rest.problems.length) return { ...rest, phase: "stale", since: stale };
  const behind = facts.waiting > 0 || (facts.heartbeat?.lag_ms ?? 0) > LAG_MS || !facts.heartbeat;
  return { ...rest, phase: behind ? "catching_up" : "live", since: facts.since };
}
