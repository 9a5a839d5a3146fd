// View `topology`: the flow's graph, each node in the state of its task runs.
// Params: {graph: id of a cyto.Cytoscape child, id?: the execution's (without: the flow alone), down?: {uid: [x, y, w, h]} positions
// from top to bottom, stylesheets: {dark, light}}. The elements come with their positions from left to right; nothing is laid out here.
import { h, onFrame } from "../dom.js";
import { onTheme, readPalette } from "../execution/palette.js";
import { openMenu } from "../execution/popup.js";
import { progressOf } from "../execution/progress.js";
import { watch } from "../execution/store.js";
import { isTerminal } from "../states.js";
import { cardMarkup, dataUri, LENS } from "./card.js";
import { READABLE, panAlong, standsOut, within } from "./look.js";
import { nodeMenu, openError } from "./menu.js";
import { stylesheet } from "./style.js";
import { byTask, edgeState, fitZoom, nodeSum, progressText } from "./sum.js";

/** @typedef {{graph: string, id?: string, down?: {[uid: string]: number[]}, stylesheets?: {[theme: string]: any[]}}} Params */
/** @typedef {import("./sum.js").Sum} Sum */

const PAINT_MS = 100;

/** @param {string} id @param {() => boolean} gone @returns {Promise<any>} Cytoscape's instance once the component made it */
async function findGraph(id, gone) {
  const graph = () => /** @type {any} */ (document.getElementById(id))?._cyreg?.cy;
  while (!gone() && !graph()) await new Promise((resolve) => setTimeout(resolve, 30));
  return graph();
}

class Topology {
  /** @param {HTMLElement} element @param {Params} params @param {any} live */
  constructor(element, params, live) {
    this.element = element;
    this.params = params;
    this.live = live;
    this.closed = false;
    this.downwards = false;
    this.moved = false; // by the user: then nothing fits it anew
    /** @type {any} */
    this.cy = null;
    /** @type {Map<string, Sum | null>} */
    this.sums = new Map();
    /** @type {Map<string, string>} */
    this.shown = new Map();
    /** Places from left to right. @type {Map<string, import("./sum.js").Rect>} */
    this.across = new Map();
    this.frame = onFrame(() => this.paint());
    this.timer = 0;
    this.tools = this.toolbar();
    element.append(this.tools);
    this.watching = params.id ? watch(live, params.id, { changed: () => this.later() }) : null;
    this.stopTheme = onTheme(() => this.restyle());
    void findGraph(params.graph, () => this.closed).then((cy) => this.begin(cy));
  }

  toolbar() {
    const tool = (/** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ run) =>
      h("button", { type: "button", class: "wfx-button icon", title, "aria-label": title, onclick: run }, text);
    return h(
      "div",
      { class: "topology-tools" },
      tool("+", "Zoom in", () => this.zoom(1.3)),
      tool("−", "Zoom out", () => this.zoom(1 / 1.3)),
      tool("⤢", "Fit", () => this.fit()),
      this.params.down && tool("⇄", "Left to right, or top to bottom", () => this.turn()),
      tool("⤓", "Save as a picture (PNG)", () => this.save()),
    );
  }

  /** @param {any} cy */
  begin(cy) {
    if (!cy || this.closed) return;
    this.cy = cy;
    cy.nodes().forEach((/** @type {any} */ node) => this.across.set(node.id(), { ...node.position(), w: node.data("w"), h: node.data("h") }));
    cy.on("tap", "node", (/** @type {any} */ event) => this.tap(event));
    cy.on("mouseover", "node", (/** @type {any} */ event) => this.pointed(event.target, true));
    cy.on("mouseout", "node", (/** @type {any} */ event) => this.pointed(event.target, false));
    cy.on("dragpan scrollzoom pinchzoom", () => (this.moved = true));
    this.observer = new ResizeObserver(() => {
      cy.resize();
      if (!this.moved) this.look();
    });
    this.observer.observe(this.element);
    this.restyle();
    const box = [this.element.clientWidth, this.element.clientHeight];
    const down = Object.values(this.params.down ?? {}).map(([x, y, w, h]) => ({ x, y, w, h }));
    if (down.length && fitZoom(down, box) > 1.3 * fitZoom([...this.across.values()], box)) this.turn();
    else this.look();
  }

  restyle() {
    if (!this.cy) return;
    this.palette = readPalette();
    this.shown.clear();
    const theme = document.documentElement.dataset.theme === "light" ? "light" : "dark";
    const base = this.params.stylesheets?.[theme] ?? [];
    this.cy.style().fromJson([...base, ...stylesheet(this.palette, this.downwards)]).update();
    this.frame.ask();
  }

  /** States come in quick succession: painted a few times a second. */
  later() {
    if (this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.frame.ask();
    }, PAINT_MS);
  }

  /** Recolour what changed, in one batch; positions are never touched. */
  paint() {
    const { cy, watching } = this;
    if (!cy || !watching) return;
    const { row, tasks } = watching.model;
    const runs = byTask(tasks.values());
    const progress = progressOf(tasks.values());
    const ended = Boolean(row && isTerminal(row.state));
    cy.batch(() => {
      cy.nodes().forEach((/** @type {any} */ node) => this.paintNode(node, nodeSum(node.data(), runs, progress), ended));
      cy.edges().forEach((/** @type {any} */ edge) => this.paintEdge(edge, ended));
    });
    if (!this.moved && !within(this.place(), cy.extent())) this.look();
  }

  /** @param {any} node @param {Sum | null} sum @param {boolean} ended */
  paintNode(node, sum, ended) {
    const data = node.data();
    if (data.kind !== "task" && data.kind !== "group") return;
    this.sums.set(data.id, sum);
    const key = `${ended}${JSON.stringify(sum && { ...sum, failed: sum.failed?.id })}`;
    if (this.shown.get(data.id) === key) return;
    this.shown.set(data.id, key);
    node.toggleClass("unused", ended && !sum);
    node.toggleClass("counted", Boolean(sum && sum.total > 1));
    const progress = progressText(sum);
    const own = (data.own ??= data.label);
    node.data({
      own,
      label: progress ? `${own}   ${progress}` : own,
      state: sum?.state ?? null,
      card: sum ? dataUri(cardMarkup(sum, { w: data.w, h: data.h }, this.palette ?? {})) : null,
    });
    if (!sum) node.removeData("state card");
  }

  /** @param {any} edge @param {boolean} ended */
  paintEdge(edge, ended) {
    const state = edgeState(this.sums.get(edge.source().id()), this.sums.get(edge.target().id()), ended);
    if (edge.data("path") !== state) edge.data("path", state).toggleClass("unused", state === "unused");
  }

  /** @param {any} event */
  tap(event) {
    const node = event.target;
    const { kind, w } = node.data();
    if (kind !== "task" && kind !== "group") return;
    const sum = this.sums.get(node.id()) ?? null;
    const onLens = event.position.x > node.position().x + w / 2 - LENS;
    if (sum?.failed && onLens && this.params.id) return openError(this.params.id, sum.failed);
    const box = this.cy.container().getBoundingClientRect();
    const { x, y } = event.renderedPosition;
    const { row, gone, tasks } = this.watching?.model ?? { row: null, gone: false, tasks: new Map() };
    const runs = byTask(tasks.values()).get(node.id()) ?? [];
    const items = nodeMenu(node.data(), sum, this.params.id, { ...row, gone }, runs);
    return void openMenu({ x: box.left + x + 8, y: box.top + y + 8 }, items, node.data("own") ?? node.data("label"));
  }

  /** @param {any} node @param {boolean} over */
  pointed(node, over) {
    const { kind } = node.data();
    if (kind !== "task" && kind !== "group") return;
    node.toggleClass("hover", over);
    this.cy.container().style.cursor = over ? "pointer" : "";
  }

  /** The other orientation: its positions are known, nothing is laid out. */
  turn() {
    this.downwards = !this.downwards;
    const { down = {} } = this.params;
    this.cy.batch(() => {
      this.cy.nodes().forEach((/** @type {any} */ node) => {
        const [x, y, w, hh] = down[node.id()] ?? [];
        const across = this.across.get(node.id());
        const place = this.downwards && x !== undefined ? { x, y, w, h: hh } : across;
        if (place) node.position({ x: place.x, y: place.y }).data({ w: place.w, h: place.h });
      });
    });
    this.restyle();
    this.look();
  }

  /** @param {number} factor */
  zoom(factor) {
    if (!this.cy) return;
    this.moved = true;
    const { width, height } = this.cy.container().getBoundingClientRect();
    this.cy.zoom({ level: this.cy.zoom() * factor, renderedPosition: { x: width / 2, y: height / 2 } });
  }

  /** Where what stands out is, else the beginning. @returns {{x: number, y: number}} */
  place() {
    const id = standsOut(this.sums);
    const node = id === null ? this.cy.nodes().first() : this.cy.getElementById(id);
    return node.nonempty() ? node.position() : { x: 0, y: 0 };
  }

  /** Everything where it can be read, else what stands out and what is around it. Until somebody moves it. */
  look() {
    this.fit();
    if (!this.cy || this.cy.zoom() >= READABLE) return;
    const { x1, y1, x2, y2 } = this.cy.elements().boundingBox();
    const { x, y } = this.place();
    const pan = { x: panAlong(x, [x1, x2], this.cy.width(), READABLE), y: panAlong(y, [y1, y2], this.cy.height(), READABLE) };
    this.cy.viewport({ zoom: READABLE, pan });
  }

  /** Everything in view; a small graph is not blown up. */
  fit() {
    if (!this.cy) return;
    this.moved = false;
    this.cy.fit(undefined, 28);
    if (this.cy.zoom() > 1.15) this.cy.zoom(1.15).center();
  }

  save() {
    const picture = this.cy?.png({ full: true, scale: 2, bg: this.palette?.panel });
    if (picture) h("a", { href: picture, download: `topology-${this.params.id ?? "flow"}.png` }).click();
  }

  unmount() {
    this.closed = true;
    clearTimeout(this.timer);
    this.frame.cancel();
    this.stopTheme();
    this.observer?.disconnect();
    this.watching?.close();
    this.tools.remove();
  }
}

/** @param {HTMLElement} element @param {Params} first @param {any} live */
export function topology(element, first, live) {
  let view = new Topology(element, first, live);
  return {
    update(/** @type {Params} */ params) {
      view.unmount();
      view = new Topology(element, params, live);
    },
    unmount: () => view.unmount(),
  };
}
