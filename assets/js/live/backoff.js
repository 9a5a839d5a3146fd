// How long to wait before the next attempt: doubling up to a cap, with jitter so that a thousand pages don't come at once.

const FIRST_MS = 400;
const CAP_MS = 8_000;

/**
 * @param {number} attempt counts from 0
 * @param {() => number} [random] in [0, 1)
 * @returns {number} ms, between half and all of the doubled time
 */
export function delay(attempt, random = Math.random) {
  const full = Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(full * (0.5 + random() / 2));
}
