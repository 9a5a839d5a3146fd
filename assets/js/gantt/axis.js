// A time axis: its ticks and how they read, zoom and pan. Offsets in ms since the execution's start.
import { clock, day, duration } from "../format.js";

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * S),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * M),
  ...[1, 2, 3, 6, 12].map((n) => n * H),
  ...[1, 2, 7, 14, 30, 90, 365].map((n) => n * D),
];

/** @typedef {[from: number, to: number]} Range */

/** The step that gives ticks at least `apart` pixels from each other. @param {Range} range @param {number} width @param {number} [apart] */
export function stepFor(range, width, apart = 96) {
  const least = ((range[1] - range[0]) / Math.max(1, width)) * apart;
  return STEPS.find((step) => step >= least) ?? /** @type {number} */ (STEPS.at(-1));
}

/** Multiples of the step within the range. @param {Range} range @param {number} step @returns {number[]} */
export function ticks(range, step) {
  const all = [];
  for (let n = Math.ceil(range[0] / step); n * step <= range[1]; n += 1) all.push(n * step + 0);
  return all;
}

/** How a tick reads: the time of day, and the offset. @param {number} at @param {number} start @param {number} step */
export function tickText(at, start, step) {
  const ms = start + at;
  const time = step < S ? clock(ms, true) : step < M ? clock(ms) : step < D ? clock(ms).slice(0, 5) : day(ms).slice(5);
  return { time, offset: at === 0 ? "start" : `${at < 0 ? "−" : "+"}${offsetText(Math.abs(at), step)}` };
}

/** @param {number} ms @param {number} step */
function offsetText(ms, step) {
  if (step < S && ms >= S) return `${(ms / S).toFixed(step % 100 ? 3 : 1)}s`;
  return ms < M && ms >= S ? `${Math.round(ms / S)}s` : duration(ms);
}

/** The whole of it, with room at the end; one that runs gets more, in steps, so that the axis rarely moves.
 * @param {number} length ms so far @param {boolean} open @returns {Range} */
export function wholeRange(length, open) {
  const least = Math.max(length, 200);
  if (!open) return [-least * 0.012, least * 1.02];
  let room = 2 * S;
  while (room < least * 1.04) room *= 1.25;
  return [-room * 0.012, room];
}

/** Zoom about a point. @param {Range} range @param {number} factor below 1 goes in @param {number} at @returns {Range} */
export function zoomed(range, factor, at) {
  const width = Math.max(4, (range[1] - range[0]) * factor);
  const share = (at - range[0]) / (range[1] - range[0]);
  return [at - width * share, at + width * (1 - share)];
}

/** Pan by a share of the width. @param {Range} range @param {number} share @returns {Range} */
export function panned(range, share) {
  const by = (range[1] - range[0]) * share;
  return [range[0] + by, range[1] + by];
}
