// View `flow-strips`: the last executions of flows as small bars, live.
// Params: {rows?: known rows, flows?: [[namespace, flow id]], size?: 20, current?: an execution's id}. Bars are drawn into the
// elements inside with `data-wf-strip="<namespace>/<flow id>"`, or into the element itself when it is about one flow.
// New executions come with a list of the newest; bars that have left it are followed by their ids.
import { h, onFrame, setAttr, setStyle } from "../dom.js";
import { onTick } from "../execution/clock.js";
import { elapsed } from "../execution/fold.js";
import { internal } from "../execution/links.js";
import { hideTip, showTip } from "../execution/popup.js";
import { showWorst } from "../frame/title.js";
import { ago, duration, exact, shortId, ticking, toMs } from "../format.js";
import { followRows } from "../live/rows.js";
import { isTerminal, stateBadge, stateInfo } from "../states.js";
import { heights, Strips } from "./strip.js";

/** @typedef {import("../execution/fold.js").Row} Row */
/** @typedef {{rows?: Row[], flows?: [string, string][], size?: number, current?: string}} Params */

const WINDOW = 100;
const STRAYS = 1_000; // bars outside the window that are followed at the most
const ANEW_TICKS = 3; // of a second: on a busy floor bars leave the window all the time

/** @param {Params} params @returns {object} what of the list to look at */
function topicOf({ flows, size }) {
  const one = flows?.length === 1 ? flows[0] : null;
  const filters = one
    ? `filters[namespace][IN]=${encodeURIComponent(one[0])}&filters[flowId][EQUALS]=${encodeURIComponent(one[1])}`
    : "";
  return { filters, sort: "startDate:desc", page: 1, size: one ? size ?? 20 : WINDOW };
}

/** @param {Row} row @param {number} now @returns {Node[]} */
function tip(row, now) {
  const start = toMs(row.start_date);
  return [
    h("div", { class: "wf-tip-head" }, stateBadge(row.state), h("b", {}, row.end_date ? duration(elapsed(row, now)) : ticking(elapsed(row, now)))),
    h("p", {}, `${exact(start)} · ${ago(start, now)}`),
    h("p", {}, shortId(row.id)),
    ...(row.error ? [h("p", { class: "error" }, row.error.split("\n", 1)[0].slice(0, 200))] : []),
  ];
}

class FlowStrips {
  /** @param {HTMLElement} element @param {Params} params @param {any} live */
  constructor(element, params, live) {
    this.element = element;
    this.params = params;
    this.live = live;
    this.strips = new Strips(params.size ?? 20);
    /** @type {Set<string>} */
    this.changed = new Set();
    this.frame = onFrame(() => this.paint());
    this.control = new AbortController();
    /** What the list of the newest holds; null before it is known. @type {Set<string> | null} */
    this.listed = null;
    /** Bars that are followed by their ids. @type {Set<string>} */
    this.followed = new Set();
    /** @type {{close: () => void} | null} */
    this.strays = null;
    this.ticks = 0;
    this.put(params.rows ?? []);
    this.subscription = live.subscribe("executions", topicOf(params), {
      snapshot: (/** @type {any} */ { rows, ids }) => (this.put(rows), this.list(ids)),
      items: (/** @type {any[]} */ items) => this.take(items),
    });
    this.stop = onTick(live, () => this.tick(), 1000);
    element.addEventListener("pointerover", (event) => this.hover(event), { signal: this.control.signal });
    element.addEventListener("pointerleave", hideTip, { signal: this.control.signal });
  }

  /** @param {Row[]} rows */
  put(rows) {
    for (const row of rows) {
      const key = this.strips.put(row);
      if (key) this.changed.add(key);
    }
    this.frame.ask();
  }

  /** @param {any[]} items */
  take(items) {
    const gone = items.filter(({ t }) => t === "gone").map(({ id }) => this.strips.remove(id));
    for (const key of gone) if (key) this.changed.add(key);
    this.put(items.filter(({ t }) => t === "row").map(({ row }) => row));
    const ids = items.findLast(({ t, ids: known }) => t === "window" && known)?.ids;
    if (ids) this.list(ids);
  }

  /** @param {string[]} ids */
  list(ids) {
    const first = this.listed === null;
    this.listed = new Set(ids);
    if (first) this.follow();
  }

  /** Follow the bars that are not in the list; those that were followed already cost nothing more. */
  follow() {
    if (!this.listed) return;
    const wanted = this.strips.strays(this.listed, isTerminal).slice(0, STRAYS);
    if (wanted.every((id) => this.followed.has(id))) return;
    this.followed = new Set(wanted);
    this.strays?.close();
    this.strays = followRows(this.live, wanted, (items) => this.take(items));
  }

  /** @param {string} key @returns {HTMLElement | null} */
  host(key) {
    const inside = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll("[data-wf-strip]")]);
    const own = this.params.flows?.length === 1 && this.params.flows[0].join("/") === key;
    return inside.find((one) => one.dataset.wfStrip === key) ?? (own ? this.element : null);
  }

  paint() {
    for (const key of this.changed) this.draw(key);
    this.changed.clear();
    if (!this.params.current) showWorst(this, this.strips.newest);
  }

  /** Flows with something that runs: their bars grow. */
  tick() {
    this.ticks += 1;
    if (this.ticks % ANEW_TICKS === 0) this.follow();
    for (const [key, rows] of this.strips.byFlow) if (rows.some((row) => !isTerminal(row.state))) this.changed.add(key);
    this.frame.ask();
  }

  /** @param {string} key */
  draw(key) {
    const host = this.host(key);
    if (!host) return;
    host.classList.add("flow-strip");
    const now = this.live.confirmedNow();
    const rows = this.strips.byFlow.get(key) ?? [];
    const tall = heights(rows.map((row) => elapsed(row, now)));
    const bars = new Map([...host.querySelectorAll("a")].map((bar) => [bar.dataset.id ?? "", bar]));
    const wanted = rows.map((row, index) => this.bar(bars.get(row.id) ?? newBar(row), row, tall[index]));
    if (wanted.length !== host.children.length || wanted.some((bar, index) => host.children[index] !== bar)) host.replaceChildren(...wanted);
  }

  /** @param {HTMLAnchorElement} bar @param {Row} row @param {number} height */
  bar(bar, row, height) {
    const { token, letter } = stateInfo(row.state);
    setAttr(bar, "data-token", token);
    setAttr(bar, "data-state", row.state);
    setAttr(bar, "aria-label", `${row.state} ${shortId(row.id)}`);
    setAttr(bar, "data-letter", letter);
    setAttr(bar, "aria-current", row.id === this.params.current ? "true" : null);
    setStyle(bar, { "--tall": height.toFixed(3) });
    return bar;
  }

  /** @param {PointerEvent} event */
  hover(event) {
    const bar = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("a[data-id]"));
    const row = bar && [...this.strips.byFlow.values()].flat().find((one) => one.id === bar.dataset.id);
    if (row) showTip({ x: event.clientX, y: event.clientY }, ...tip(row, this.live.confirmedNow()));
    else hideTip();
  }

  /** @param {Params} params */
  update(params) {
    const other = JSON.stringify(topicOf(params)) !== JSON.stringify(topicOf(this.params));
    this.params = params;
    if (other) return false;
    this.put(params.rows ?? []);
    for (const key of this.strips.byFlow.keys()) this.changed.add(key);
    return true;
  }

  unmount() {
    this.stop();
    this.subscription.close();
    this.strays?.close();
    this.frame.cancel();
    this.control.abort();
    showWorst(this, null);
    hideTip();
  }
}

/** @param {Row} row */
function newBar(row) {
  return internal(h("a", { href: `/executions/${encodeURIComponent(row.id)}`, "data-id": row.id }, h("i")));
}

/** @param {HTMLElement} element @param {Params} first @param {any} live */
export function flowStrips(element, first, live) {
  let view = new FlowStrips(element, first, live);
  return {
    update(/** @type {Params} */ params) {
      if (view.update(params)) return;
      view.unmount();
      view = new FlowStrips(element, params, live);
    },
    unmount: () => view.unmount(),
  };
}

