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

/**
 * Keep `data-confirmed` of an element: false while what it shows is not confirmed any more. @param {any} live @param {HTMLElement} element
 * @returns {() => void} stops it
 */
export function markConfirmed(live, element) {
  const show = (/** @type {{phase: string}} */ status) => {
    const confirmed = String(status.phase === "live" || status.phase === "catching_up");
    if (element.dataset.confirmed !== confirmed) element.dataset.confirmed = confirmed;
  };
  return live.onStatus?.(show) ?? (() => {});
}
