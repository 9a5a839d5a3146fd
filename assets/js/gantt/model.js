// The rows of the Gantt and what is counted over all of them, kept up to date with as little work as a change needs.
import { progressOf } from "../execution/progress.js";
import { extent } from "./bars.js";
import { criticalPath } from "./critical.js";
import { buildTree, rowsOf } from "./tree.js";

/** @typedef {import("../execution/fold.js").Model} Model */
/** @typedef {import("../execution/fold.js").TaskRun} TaskRun */
/** @typedef {import("./tree.js").Node} Node */
/** @typedef {import("./tree.js").Row} Row */

export class Rows {
  constructor() {
    /** @type {Set<string>} */ this.closed = new Set();
    /** @type {((run: TaskRun) => boolean) | null} */ this.match = null;
    /** @type {string[]} */ this.order = [];
    /** @type {Node[]} */ this.tree = [];
    /** @type {Row[]} */ this.rows = [];
    /** @type {Map<string, Node>} */ this.nodes = new Map();
    /** @type {Set<string>} */ this.critical = new Set();
    /** @type {Map<string, number>} */ this.counts = new Map();
    /** @type {Map<string, import("../execution/progress.js").Progress>} */ this.progress = new Map();
    this.extent = { from: NaN, to: NaN, open: false };
    this.shapeIsOld = true;
    this.sumsAreOld = true;
    this.nextSums = 0;
  }

  /** Task runs changed; null: all of them. New and gone ones change the tree, others only their node. @param {Set<string> | null} ids @param {Model} model */
  change(ids, model) {
    this.sumsAreOld = true;
    if (!ids || this.match || [...ids].some((id) => !this.nodes.has(id) || !model.tasks.has(id))) {
      this.shapeIsOld = true;
      return;
    }
    for (const id of ids) {
      const node = this.nodes.get(id);
      const run = model.tasks.get(id);
      if (node && run) node.run = run;
    }
    for (const row of this.rows) row.run = model.tasks.get(row.run.id) ?? row.run;
  }

  /**
   * Bring everything up to date. Sums over all task runs take at most a tenth of the time, so they may have to wait.
   * @param {Model} model @param {number} now @returns {{summed: boolean, wait: number}} ms until it should be called again; 0: needn't
   */
  refresh(model, now) {
    if (this.shapeIsOld) this.reshape(model);
    if (!this.sumsAreOld) return { summed: false, wait: 0 };
    const begun = performance.now();
    if (begun < this.nextSums) return { summed: false, wait: this.nextSums - begun };
    this.sum(model, now);
    const ended = performance.now();
    this.nextSums = ended + 9 * (ended - begun);
    return { summed: true, wait: 0 };
  }

  /** @param {Model} model @param {number} now */
  sum(model, now) {
    this.sumsAreOld = false;
    this.counts = new Map();
    for (const run of model.tasks.values()) this.counts.set(run.state, (this.counts.get(run.state) ?? 0) + 1);
    this.progress = progressOf(model.tasks.values());
    this.extent = extent(model.tasks.values());
    this.critical = criticalPath(this.tree, now);
  }

  /** @param {Model} model */
  reshape(model) {
    this.tree = buildTree(model.tasks.values(), this.order);
    this.nodes = new Map();
    const index = (/** @type {Node[]} */ nodes) => {
      for (const node of nodes) {
        this.nodes.set(node.run.id, node);
        index(node.children);
      }
    };
    index(this.tree);
    this.rows = rowsOf(this.tree, this.closed, this.match);
    this.shapeIsOld = false;
    this.sumsAreOld = true;
  }

  /** @param {((run: TaskRun) => boolean) | null} match */
  filter(match) {
    this.match = match;
    this.shapeIsOld = true;
  }

  /** @param {string} id */
  toggle(id) {
    if (!this.closed.delete(id)) this.closed.add(id);
    this.shapeIsOld = true;
  }

  /** @param {boolean} close */
  foldAll(close) {
    this.closed.clear();
    if (close) for (const [id, node] of this.nodes) if (node.children.length) this.closed.add(id);
    this.shapeIsOld = true;
  }
}
