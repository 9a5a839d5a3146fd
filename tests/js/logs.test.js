import assert from "node:assert/strict";
import { test } from "node:test";

import { anyLayout, sectionLayout } from "../../assets/js/logs/layout.js";
import { Lines, PAGE, trim } from "../../assets/js/logs/lines.js";
import { Scroll } from "../../assets/js/logs/scroll.js";
import { Sections } from "../../assets/js/logs/sections.js";
import { colour256, parseSgr, plain } from "../../assets/js/logs/sgr.js";
import { columns, CUT, hidden, matches, pieces, shownText, wrappedRows } from "../../assets/js/logs/spans.js";

const entry = (/** @type {number} */ seq, /** @type {any} */ rest = {}) =>
  ({ seq, execution_id: "e", task_id: "t", task_run_id: "r", attempt: 1, number: seq, date: "2026-03-05T12:00:00Z", level: "INFO", message: `line ${seq}`, ...rest });

test("colours: 16 by name, 256 and true colour as hex", () => {
  assert.deepEqual(parseSgr("plain"), [{ text: "plain", style: null }]);
  assert.deepEqual(parseSgr("\x1b[1;31mred\x1b[0m off"), [{ text: "red", style: { bold: true, fg: "1" } }, { text: " off", style: null }]);
  assert.deepEqual(parseSgr("\x1b[92;44mx")[0].style, { fg: "10", bg: "4" });
  assert.deepEqual(parseSgr("\x1b[38;5;196mx\x1b[39my"), [{ text: "x", style: { fg: "#ff0000" } }, { text: "y", style: null }]);
  assert.deepEqual(parseSgr("\x1b[48;2;1;2;255;3mx")[0].style, { bg: "#0102ff", italic: true });
  assert.equal(colour256(244), "#808080");
});

test("other escape sequences and control characters are left out", () => {
  assert.equal(plain("\x1b[2K\x1b[1Gdone\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x07\r"), "done link");
  assert.deepEqual(parseSgr("a\x1b[Hb").map((span) => span.text).join(""), "ab");
  assert.equal(plain("tab\tstays\nand newline"), "tab\tstays\nand newline");
  assert.equal(plain("cut off \x1b["), "cut off [");
});

test("a long line is cut by what is shown, not by its escapes", () => {
  const message = `\x1b[31m${"x".repeat(CUT + 7)}\x1b[0m`;
  assert.equal(shownText(message).length, CUT);
  assert.equal(hidden(message), 7);
  assert.equal(pieces(message).map((piece) => piece.text).join("").length, CUT);
  assert.equal(pieces(message, { whole: true }).map((piece) => piece.text).join("").length, CUT + 7);
});

test("what is searched for is marked across colours", () => {
  const found = pieces("a\x1b[31mbc\x1b[0md BCD", { needle: "bcd" });
  assert.deepEqual(found.map((piece) => [piece.text, piece.mark]), [["a", false], ["bc", true], ["d", true], [" ", false], ["BCD", true]]);
  assert.deepEqual(matches("aaaa", "aa"), [[0, 2], [2, 4]]);
  assert.deepEqual(matches("aaaa", ""), []);
});

test("wrapped rows are computed from columns", () => {
  assert.equal(columns("ascii"), 5);
  assert.equal(columns("日本"), 4);
  assert.equal(columns("🎉x"), 3);
  assert.equal(wrappedRows("x".repeat(81), 80), 2);
  assert.equal(wrappedRows("", 80), 1);
  assert.equal(wrappedRows("a\n\nb", 80), 3);
});

test("lines: windows and tail fill one sparse cache, and holes are known", () => {
  const lines = new Lines(450);
  assert.deepEqual(lines.missing(0, 450), [0, 1, 2]);
  lines.put(0, Array.from({ length: PAGE }, (_, i) => entry(i + 1)));
  assert.deepEqual(lines.missing(0, 450), [1, 2]);
  lines.put(400, Array.from({ length: 60 }, (_, i) => entry(401 + i)));
  assert.equal(lines.get(449)?.seq, 450);
  assert.equal(lines.get(450), undefined, "behind the known end: the tail brings it");
  assert.deepEqual(lines.missing(400, 450), []);
  lines.append([entry(451), entry(452)]);
  assert.equal(lines.total, 452);
  assert.equal(lines.get(451)?.seq, 452);
});

test("skipped lines leave a hole that is fetched when looked at", () => {
  const lines = new Lines(0);
  lines.append([entry(1)]);
  lines.append([entry(9)], 9);
  assert.equal(lines.total, 9);
  assert.equal(lines.get(8)?.seq, 9);
  assert.equal(lines.get(4), undefined);
  assert.deepEqual(lines.missing(0, 9), [0]);
  lines.put(1, [2, 3, 4, 5, 6, 7, 8].map((seq) => entry(seq)));
  assert.deepEqual(lines.missing(0, 9), []);
});

test("a million lines: the cache keeps what was looked at last", () => {
  const lines = new Lines(1_000_000);
  for (let page = 0; page < 100; page += 1) lines.put(page * PAGE, [entry(page * PAGE + 1)]);
  lines.missing(0, PAGE);
  assert.equal(trim([lines, new Lines(5)], 10), 90);
  assert.equal(lines.pages.size, 10);
  assert.ok(lines.get(0), "looked at just now");
  assert.equal(lines.get(PAGE), undefined);
});

test("rows to lines and back, with closed sections", () => {
  const section = (/** @type {string} */ key, /** @type {number} */ count, open = true) => ({ key, count, open, header: true });
  const sections = new Sections([section("a", 3), section("b", 5, false), section("c", 2), section("d", 0)]);
  assert.equal(sections.rows, 4 + 1 + 3 + 1);
  assert.deepEqual(sections.at(0), { section: 0, line: -1 });
  assert.deepEqual(sections.at(3), { section: 0, line: 2 });
  assert.deepEqual(sections.at(4), { section: 1, line: -1 });
  assert.deepEqual(sections.at(7), { section: 2, line: 1 });
  assert.deepEqual(sections.at(8), { section: 3, line: -1 });
  for (let row = 0; row < sections.rows; row += 1) assert.equal(sections.rowOf(sections.at(row)), row);
  assert.deepEqual(sections.nth(4), { section: 1, line: 1 });
  assert.equal(sections.rowOf({ section: 1, line: 1 }), 4, "closed: its header");
  assert.equal(sections.indexOf({ section: 2, line: 1 }), 9);
  assert.equal(sections.nth(10), null);
});

test("one section without header: row = line", () => {
  const sections = new Sections([{ key: "", count: 1_000_000, open: true, header: false }]);
  assert.deepEqual(sections.at(999_999), { section: 0, line: 999_999 });
  assert.equal(sections.rowOf({ section: 0, line: 12 }), 12);
});

/** @param {number} rows @param {number} [view] */
function scroll(rows, view = 600) {
  const one = new Scroll();
  one.view = view;
  const sections = new Sections([{ key: "", count: rows, open: true, header: false }]);
  one.set(rows, () => 20, sectionLayout(sections, 20, 30));
  return one;
}

test("scrolling rows of one height is exact", () => {
  const one = scroll(10_000);
  one.scrolled(12_345);
  assert.deepEqual([one.top, one.push], [617, 5]);
  assert.equal(one.position, 12_345);
  one.scrolled(one.most);
  assert.ok(one.atEnd);
  assert.equal(one.visible().at(-1)?.row, 9_999);
  assert.equal(one.visible().length, 30);
});

test("a million rows: small steps move by pixels, the scroll bar by shares, both ends are reached", () => {
  const one = scroll(1_000_000);
  assert.ok(!one.exact && one.area === 4_000_000);
  one.scrolled(100);
  one.scrolled(220);
  assert.deepEqual([one.top, one.push], [11, 0]);
  one.scrolled(one.most / 2);
  assert.ok(Math.abs(one.top - 500_000) < 2, String(one.top));
  const before = one.top;
  one.scrolled(one.last + 40);
  assert.equal(one.top, before + 2);
  one.scrolled(one.most);
  assert.equal(one.visible().at(-1)?.row, 999_999);
  one.scrolled(0);
  assert.deepEqual([one.top, one.push], [0, 0]);
});

test("headers and lines of different height: every pixel belongs to its row", () => {
  const section = (/** @type {number} */ count, open = true) => ({ key: String(count), count, open, header: true });
  const sections = new Sections([section(3), section(50_000, false), section(40_000), section(0)]);
  const heightOf = (/** @type {number} */ row) => (sections.at(row).line < 0 ? 30 : 20);
  const layout = sectionLayout(sections, 20, 30);
  let y = 0;
  for (let row = 0; row < sections.rows; row += row < 20 ? 1 : 3_331) {
    y = layout.offsetOf(row);
    assert.equal(layout.rowAt(y), row);
    assert.equal(layout.rowAt(y + heightOf(row) - 1), row);
  }
  assert.equal(layout.height, 4 * 30 + 40_003 * 20);
  const few = new Sections([section(3), section(0), section(5, false), section(2)]);
  const any = anyLayout(few.rows, (row) => (few.at(row).line < 0 ? 30 : 20));
  const exact = sectionLayout(few, 20, 30);
  for (let at = 0; at < exact.height; at += 1) assert.equal(exact.rowAt(at), any.rowAt(at), `at ${at}`);
  assert.equal(exact.height, any.height);
});

test("wrapped rows: few are exact, many move by their pixels; both end at the last row's foot", () => {
  for (const rows of [100, 300_000]) {
    const one = new Scroll();
    one.view = 600;
    const heightOf = (/** @type {number} */ row) => (row % 3 === 0 ? 60 : 20);
    one.set(rows, heightOf, rows <= 5000 ? anyLayout(rows, heightOf) : null);
    one.to(50, 10);
    one.by(-30);
    assert.deepEqual([one.top, one.push], [49, 0]);
    one.by(20 + 20 + 30);
    assert.deepEqual([one.top, one.push], [51, 30]);
    one.toEnd();
    const last = one.visible().at(-1);
    assert.equal((last?.y ?? 0) + heightOf(last?.row ?? 0), 600);
    assert.ok(one.atEnd);
  }
});

test("fewer rows than the pane: nothing moves", () => {
  const one = scroll(3);
  one.by(500);
  assert.deepEqual([one.top, one.push, one.atEnd], [0, 0, true]);
  one.scrolled(10);
  assert.equal(one.top, 0);
  assert.deepEqual(scroll(0).visible(), []);
});

test("a row that is looked for comes into view, one in view stays", () => {
  const one = scroll(1_000_000);
  one.show(700_000);
  const shown = one.visible().map(({ row }) => row);
  assert.ok(shown.includes(700_000) && shown[0] < 699_995, String(shown[0]));
  const top = one.top;
  one.show(700_003);
  assert.equal(one.top, top);
  one.show(999_999);
  assert.ok(one.atEnd);
});
