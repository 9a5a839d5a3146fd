// Durations, moments, ids and counts as people read them. Milliseconds in, text out.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @param {number} n @param {number} [width] */
const pad = (n, width = 2) => String(n).padStart(width, "0");

/** Milliseconds of an ISO 8601 moment; NaN for none. @param {string | number | null | undefined} moment */
export function toMs(moment) {
  if (typeof moment === "number") return moment;
  return moment ? Date.parse(moment) : NaN;
}

/**
 * A duration, at most two units: `340ms`, `4.2s`, `1m 04s`, `2h 05m`, `3d 04h`. An unknown one is `–`.
 * @param {number} ms
 */
export function duration(ms) {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0) return "0ms";
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${(ms / SECOND).toFixed(1)}s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${pad(minutes % 60)}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${pad(hours % 24)}h`;
}

/** A duration that ticks: whole seconds, so that it does not flicker. @param {number} ms */
export function ticking(ms) {
  if (!Number.isFinite(ms)) return "–";
  const whole = Math.floor(Math.max(0, ms) / SECOND) * SECOND;
  return whole < MINUTE ? `${whole / SECOND}s` : duration(whole);
}

/** What tells a task run from others of its task: its value in a loop over values, else its round (`#3`), else nothing.
 * @param {{value?: string, iteration?: number}} run */
export function valueText(run) {
  return run.value ?? (run.iteration === undefined ? "" : `#${run.iteration + 1}`);
}

/** Local time of day, `14:03:07` or with milliseconds `14:03:07.250`. @param {number} ms @param {boolean} [millis] */
export function clock(ms, millis = false) {
  if (!Number.isFinite(ms)) return "–";
  const date = new Date(ms);
  const base = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return millis ? `${base}.${pad(date.getMilliseconds(), 3)}` : base;
}

/** Local day, `2026-03-05`. @param {number} ms */
export function day(ms) {
  if (!Number.isFinite(ms)) return "–";
  const date = new Date(ms);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
}

/** Local day and time; the day is left out when it is the day of `now`. @param {number} ms @param {number} [now] */
export function moment(ms, now) {
  if (!Number.isFinite(ms)) return "–";
  return now !== undefined && day(ms) === day(now) ? clock(ms) : `${day(ms)} ${clock(ms)}`;
}

/** The same for narrow places: no year when it is that of `now`. @param {number} ms @param {number} now */
export function brief(ms, now) {
  const text = moment(ms, now);
  const year = `${day(now).slice(0, 4)}-`;
  return text.startsWith(year) ? text.slice(year.length) : text;
}

/** The exact moment with its zone, for tooltips. @param {number} ms */
export function exact(ms) {
  if (!Number.isFinite(ms)) return "";
  const minutes = -new Date(ms).getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const zone = minutes === 0 ? "UTC" : `UTC${sign}${pad(Math.floor(Math.abs(minutes) / 60))}:${pad(Math.abs(minutes) % 60)}`;
  return `${day(ms)} ${clock(ms, true)} ${zone}`;
}

/** Age in words: `now`, `12s ago`, `4m ago`, `3h ago`, `2d ago`. @param {number} ms @param {number} now */
export function ago(ms, now) {
  const age = now - ms;
  if (!Number.isFinite(age)) return "–";
  if (age < 1500) return "now";
  if (age < MINUTE) return `${Math.floor(age / SECOND)}s ago`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)}m ago`;
  return age < DAY ? `${Math.floor(age / HOUR)}h ago` : `${Math.floor(age / DAY)}d ago`;
}

/** Offset from a start, `+0.250`, `+12.004`, `+1:04.120`, `+2:05:07.000`. @param {number} ms */
export function offset(ms) {
  const sign = ms < 0 ? "-" : "+";
  const total = Math.abs(Math.round(ms));
  const rest = `${pad(Math.floor(total / SECOND) % 60)}.${pad(total % SECOND, 3)}`;
  const minutes = Math.floor(total / MINUTE);
  if (minutes === 0) return `${sign}${Number(rest.slice(0, 2))}${rest.slice(2)}`;
  return minutes < 60 ? `${sign}${minutes}:${rest}` : `${sign}${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${rest}`;
}

/** An id shortened in the middle; the time part of neighbours is equal, so the end carries more. @param {string} id @param {number} [length] */
export function shortId(id, length = 13) {
  if (id.length <= length) return id;
  const head = Math.floor((length - 1) / 3);
  return `${id.slice(0, head)}…${id.slice(-(length - 1 - head))}`;
}

/** A count with thin spaces: `1 204`. @param {number} n */
export function count(n) {
  return Number.isFinite(n) ? String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f") : "–";
}

/** A number and its word. @param {number} n @param {string} one @param {string} [many] */
export function plural(n, one, many = `${one}s`) {
  return `${count(n)} ${n === 1 ? one : many}`;
}

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** Bytes in decimal units: `12 B`, `4.2 MB`. @param {number} n */
export function bytes(n) {
  let value = n;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/**
 * A duration against the usual ones: where it stands, in words and as a share of p95.
 * @param {number} ms
 * @param {{p50: number, p95: number} | null | undefined} usual seconds
 * @returns {{verdict: "usual" | "long" | "very_long" | "unknown", share: number, text: string}}
 */
export function againstUsual(ms, usual) {
  if (!usual || !(usual.p95 > 0) || !Number.isFinite(ms)) return { verdict: "unknown", share: 0, text: "no usual duration yet" };
  const [p50, p95] = [usual.p50 * SECOND, usual.p95 * SECOND];
  const text = `usually ${duration(p50)}, 95 % within ${duration(p95)}`;
  const verdict = ms <= p95 ? "usual" : ms <= 2 * p95 ? "long" : "very_long";
  return { verdict, share: ms / p95, text };
}
