// The critical path: what, had it been shorter, would have let the execution end earlier.
import { span } from "./bars.js";

/** @typedef {import("./tree.js").Node} Node */

const TOLERANCE = 5; // ms: clocks of two machines, rounding

/**
 * Going back from the child that ended last: the one before it is the one that ended last before it began, and so on;
 * the same inside each.
 * @param {Node[]} tree @param {number} now end of what still runs
 * @returns {Set<string>} ids of the task runs on it
 */
export function criticalPath(tree, now) {
  /** @type {Set<string>} */
  const path = new Set();
  /** @param {Node[]} siblings */
  const walk = (siblings) => {
    const spans = siblings.map((node) => ({ node, ...span(node.run) })).map((one) => ({ ...one, to: one.to ?? now }));
    spans.sort((a, b) => b.to - a.to);
    let before = Infinity;
    for (const { node, from, to } of spans) {
      if (to > before + TOLERANCE) continue;
      path.add(node.run.id);
      before = from;
      walk(node.children);
    }
  };
  walk(tree);
  return path;
}
