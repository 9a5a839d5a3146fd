// View `gantt`: when each task run waited and ran. The address may name a task to look for: ?task=…
// Params: {id, graph: id of a dcc.Graph child, tasks?: the flow's task ids in file order, usual_tasks?: {task id: usual seconds}}.
// The element scrolls; the graph is one of its children and draws the bars of the rows in view (responsive=False, empty figure).
import { onFrame, setStyle, setText } from "../dom.js";
import { markConfirmed, onTick } from "../execution/clock.js";
import { onTheme, readPalette } from "../execution/palette.js";
import { watch } from "../execution/store.js";
import { stepFor, ticks, wholeRange, zoomed } from "./axis.js";
import { layout, LIVE_TRACE, traces } from "./figure.js";
import { Rows } from "./model.js";
import { Plot } from "./plot.js";
import { Pointer } from "./pointer.js";
import { ROW, RowList, windowOf } from "./rowlist.js";
import { HEAD, shell } from "./shell.js";
import { filterOf } from "./tree.js";

/** @typedef {{id: string, graph?: string, tasks?: string[], usual_tasks?: {[task: string]: number}}} Params */
/** @typedef {[number, number]} Range */
/** @typedef {import("./tree.js").Row} Row */

const REDRAW_MS = 120; // bars are drawn anew at most so often; live ones grow between by a transform

class Gantt {
  /** @param {HTMLElement} element @param {Params} params @param {any} live */
  constructor(element, params, live) {
    this.element = element;
    this.live = live;
    this.params = params;
    this.rows = new Rows();
    this.rows.order = params.tasks ?? [];
    /** @type {Range | null} */ this.zoom = null;
    this.range = /** @type {Range} */ ([0, 1]);
    this.start = NaN;
    this.palette = readPalette();
    this.last = { key: "", at: 0, first: -1 };
    this.timer = 0;
    this.frame = onFrame(() => this.paint());
    this.parts = shell(element, {
      filter: (text, states) => {
        this.reshape(() => this.rows.filter(filterOf(text, states)));
        element.scrollTop = 0;
      },
      zoom: (factor) => this.setZoom(zoomed(this.range, factor, (this.range[0] + this.range[1]) / 2)),
      fit: () => this.setZoom(null),
      fold: (close) => this.reshape(() => this.rows.foldAll(close)),
    });
    this.arrive();
    this.rowList = new RowList(this.parts.list);
    this.pointer = new Pointer(this.pointerHost());
    this.plot = new Plot(this.parts.body, params.graph, { zoomed: (range) => this.setZoom(range), reset: () => this.setZoom(null) });
    void this.plot.ready.then(() => this.redraw());
    this.observer = new ResizeObserver(() => this.redraw());
    this.observer.observe(element);
    this.watching = this.listen();
    this.stops = [onTick(live, (now) => this.tick(now)), onTheme(() => this.recolour()), markConfirmed(live, element)];
  }

  /** The address may name a task to look for. */
  arrive() {
    const task = location.pathname.endsWith("/gantt") ? new URLSearchParams(location.search).get("task") : null;
    if (!task) return;
    this.parts.tools.search.value = task;
    this.rows.filter(filterOf(task, new Set()));
  }

  /** @returns {import("./pointer.js").Host} */
  pointerHost() {
    return {
      element: this.element,
      axis: this.parts.axis,
      rows: () => this.rows.rows,
      range: () => this.range,
      now: () => this.now,
      id: () => this.params.id,
      seen: () => ({ ...this.watching.model.row, gone: this.watching.model.gone }),
      usual: (task) => this.params.usual_tasks?.[task],
      hovered: (id) => this.rowList.hover(id),
      toggle: (id) => this.reshape(() => this.rows.toggle(id)),
      zoom: (range) => this.setZoom(range),
      scrolled: () => this.frame.ask(),
    };
  }

  listen() {
    return watch(this.live, this.params.id, {
      changed: (ids, model) => {
        this.rows.change(ids, model);
        this.frame.ask();
      },
    });
  }

  get now() {
    return this.live.confirmedNow();
  }

  paint() {
    const { model } = this.watching;
    const { rows, parts } = this;
    const { summed, wait } = rows.refresh(model, this.now);
    if (summed) parts.tools.show(rows.counts, rows.rows.length, model.tasks.size);
    else if (wait) this.later(wait);
    setStyle(parts.body, { height: `${Math.max(rows.rows.length, 1) * ROW}px` });
    parts.empty.hidden = rows.rows.length > 0 || !model.row;
    setText(parts.empty, model.tasks.size ? "No task run fits the filter." : "No task has started yet. Rows come as tasks do.");
    const [from, to] = windowOf(this.element.scrollTop, this.element.clientHeight - HEAD, rows.rows.length);
    const shown = rows.rows.slice(from, to);
    this.rowList.show(shown, from, rows, this.now);
    this.draw(shown, from);
    this.showEdge(this.now);
  }

  /** The time range that shows everything. @param {number} now @returns {Range} */
  whole(now) {
    const { from, to, open } = this.rows.extent;
    this.start = Number.isNaN(from) ? now : from;
    return wholeRange(Math.max(0, (open ? Math.max(now, to) : to) - this.start) || 0, open);
  }

  /** Draw the bars of the rows, unless what is drawn shows just this. @param {Row[]} shown @param {number} first */
  draw(shown, first) {
    const now = this.now;
    const whole = this.whole(now);
    this.range = this.zoom ?? whole;
    const width = this.parts.axis.clientWidth;
    const looks = shown.map(({ run, parent }) => `${run.id}${run.history.length}${run.state}${parent}`);
    const key = [first, this.range.join(), width, this.palette.panel, ...looks].join("|");
    if (key === this.last.key || !this.plot.plot || !width) return;
    const wait = this.last.at + REDRAW_MS - performance.now();
    if (wait > 0 && this.last.first === first) return void this.later(wait);
    this.last = { key, at: performance.now(), first };
    const step = stepFor(this.range, width);
    const marks = ticks(this.range, step);
    const frame = { start: this.start, now, range: this.range, width, ticks: marks, usual: this.params.usual_tasks ?? {} };
    const { data, live } = traces(shown, frame, this.palette);
    this.plot.draw(data, layout(shown.length, ROW, frame, this.palette), live, LIVE_TRACE);
    const above = this.plot.box?.parentElement === this.parts.body ? 0 : HEAD;
    if (this.plot.box) setStyle(this.plot.box, { top: `${above + first * ROW}px`, height: `${Math.max(shown.length, 1) * ROW}px` });
    this.parts.showAxis(marks, this.range, this.start, step);
  }

  /** @param {number} wait ms */
  later(wait) {
    if (this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.frame.ask();
    }, wait);
  }

  /** The last confirmed moment: so far the live bars reach. @param {number} now */
  showEdge(now) {
    const [a, b] = this.range;
    this.parts.showEdge((now - this.start - a) / (b - a), this.rows.extent.open);
    this.plot.grow(now - this.start);
  }

  /** @param {number} now */
  tick(now) {
    if (!this.rows.extent.open) return;
    this.rowList.tick(now);
    this.pointer.tick(now);
    if (!this.zoom && this.whole(now).join() !== this.range.join()) this.frame.ask();
    this.showEdge(now);
  }

  /** @param {() => void} change of what rows there are */
  reshape(change) {
    change();
    this.frame.ask();
  }

  recolour() {
    this.palette = readPalette();
    this.redraw();
  }

  redraw() {
    this.last = { key: "", at: 0, first: -1 };
    this.frame.ask();
  }

  /** @param {Range | null} range null: everything, growing */
  setZoom(range) {
    this.zoom = range;
    this.redraw();
  }

  /** @param {Params} params */
  update(params) {
    const other = params.id !== this.params.id;
    this.params = params;
    this.rows.order = params.tasks ?? [];
    this.rows.shapeIsOld = true;
    if (other) {
      this.zoom = null;
      this.rows.closed.clear();
      this.watching.close();
      this.watching = this.listen();
    }
    this.redraw();
  }

  unmount() {
    for (const stop of this.stops) stop();
    this.observer.disconnect();
    this.frame.cancel();
    clearTimeout(this.timer);
    this.pointer.close();
    this.plot.close();
    this.watching.close();
    this.parts.remove();
  }
}

/** @param {HTMLElement} element @param {Params} params @param {any} live */
export function gantt(element, params, live) {
  const view = new Gantt(element, params, live);
  return { update: (/** @type {Params} */ next) => view.update(next), unmount: () => view.unmount() };
}
