import assert from "node:assert/strict";
import { test } from "node:test";

import * as format from "../../assets/js/format.js";

test("durations have at most two units and keep their width while ticking", () => {
  const expected = [
    [0, "0ms"],
    [340.4, "340ms"],
    [999.6, "1.0s"],
    [4_230, "4.2s"],
    [59_949, "59.9s"],
    [59_960, "1m 00s"],
    [64_000, "1m 04s"],
    [3_599_600, "1h 00m"],
    [7_500_000, "2h 05m"],
    [273_600_000, "3d 04h"],
    [-5, "0ms"],
    [NaN, "–"],
  ];
  for (const [ms, text] of expected) assert.equal(format.duration(/** @type {number} */ (ms)), text);
  assert.equal(format.ticking(12_999), "12s");
  assert.equal(format.ticking(64_999), "1m 04s");
});

test("a task run in a loop says which one it is", () => {
  assert.equal(format.valueText({}), "");
  assert.equal(format.valueText({ iteration: 2 }), "#3");
  assert.equal(format.valueText({ value: "eu", iteration: 2 }), "eu");
});

test("offsets from a start", () => {
  assert.equal(format.offset(250), "+0.250");
  assert.equal(format.offset(12_004), "+12.004");
  assert.equal(format.offset(64_120), "+1:04.120");
  assert.equal(format.offset(7_507_000), "+2:05:07.000");
  assert.equal(format.offset(-3), "-0.003");
});

test("local time, and the zone in the exact form", () => {
  const ms = new Date(2026, 2, 5, 14, 3, 7, 250).getTime();
  assert.equal(format.clock(ms), "14:03:07");
  assert.equal(format.clock(ms, true), "14:03:07.250");
  assert.equal(format.moment(ms), "2026-03-05 14:03:07");
  assert.equal(format.moment(ms, ms + 1000), "14:03:07");
  assert.match(format.exact(ms), /^2026-03-05 14:03:07\.250 UTC([+-]\d\d:\d\d)?$/);
});

test("ids are shortened in the middle, short ones are left alone", () => {
  assert.equal(format.shortId("0193f0a0-aaaa-7bbb-8ccc-0123456789ab"), "0193…456789ab");
  assert.equal(format.shortId("abc"), "abc");
});

test("counts, ages and bytes", () => {
  assert.equal(format.count(1_204_000), "1\u202f204\u202f000");
  assert.equal(format.plural(1, "line"), "1 line");
  assert.equal(format.plural(2, "entry", "entries"), "2 entries");
  assert.equal(format.ago(1000, 1900), "now");
  assert.equal(format.ago(0, 240_000), "4m ago");
  assert.equal(format.bytes(4_240_000), "4.2 MB");
});

test("a duration is judged by the usual ones", () => {
  const usual = { p50: 10, p95: 20 };
  assert.equal(format.againstUsual(20_000, usual).verdict, "usual");
  assert.equal(format.againstUsual(20_001, usual).verdict, "long");
  assert.equal(format.againstUsual(40_001, usual).verdict, "very_long");
  assert.equal(format.againstUsual(5, null).verdict, "unknown");
  assert.equal(format.againstUsual(10_000, usual).share, 0.5);
});
