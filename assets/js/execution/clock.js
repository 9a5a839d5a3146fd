// A clock for what ticks: at most four times a second, never while the page is hidden, up to the confirmed moment only.

/**
 * Call `tick(now)` when the confirmed moment moved. @param {any} live @param {(now: number) => void} tick
 * @param {number} [everyMs] @returns {() => void} stops it
 */
export function onTick(live, tick, everyMs = 250) {
  let last = NaN;
  const timer = setInterval(() => {
    const now = live.confirmedNow();
    if (document.hidden || now === last) return;
    last = now;
    tick(now);
  }, everyMs);
  return () => clearInterval(timer);
}
