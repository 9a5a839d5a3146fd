// What states add to the graph's style sheet.
import { mix } from "./card.js";

/** @typedef {{[token: string]: string}} Palette */

const TOKENS = ["waiting", "running", "retrying", "paused", "killed", "success", "warning", "failed", "skipped"];

/** @type {{[token: string]: string[]}} the states of a token, for the colour of a node's ground */
const STATES = {
  waiting: ["CREATED", "SUBMITTED", "QUEUED", "RESTARTED"],
  running: ["RUNNING"],
  retrying: ["RETRYING", "RETRIED", "RESUBMITTED"],
  paused: ["PAUSED", "BREAKPOINT"],
  killed: ["KILLING", "KILLED"],
  success: ["SUCCESS"],
  warning: ["WARNING"],
  failed: ["FAILED"],
  skipped: ["CANCELLED", "SKIPPED"],
};

/** @param {Palette} palette @param {boolean} downwards @returns {{selector: string, style: {[name: string]: any}}[]} */
export function stylesheet(palette, downwards) {
  const ground = (/** @type {string} */ token) => ({
    selector: STATES[token].map((state) => `node[state = "${state}"]`).join(", "),
    style: {
      "background-color": mix(palette[token] ?? palette.text, palette.panel, token === "failed" ? 0.16 : 0.09),
      "border-color": mix(palette[token] ?? palette.text, palette.panel, 0.8),
      "border-width": token === "running" || token === "failed" ? 2.5 : 1.5,
    },
  });
  return [
    { selector: "node[card]", style: card },
    { selector: "node.counted", style: { "text-margin-y": -5 } },
    { selector: "node.task, node.group", style: { "font-size": 16, "text-max-width": 128 } },
    ...LAYERS.map(([selector, z]) => ({ selector, style: { "z-index-compare": "manual", "z-index": z } })),
    ...TOKENS.map(ground),
    { selector: "edge", style: { "taxi-direction": downwards ? "vertical" : "horizontal" } },
    { selector: "edge.finally, edge.after-execution", style: { "taxi-turn": -22 } }, // up to the next column, not through the one between
    { selector: "edge.error", style: line(mix(palette.failed ?? palette.text, palette.panel, 0.5), 1.5) },
    { selector: 'edge[path = "taken"]', style: line(mix(palette.text, palette.panel, 0.55), 1.8) },
    { selector: 'edge[path = "running"]', style: line(palette.running, 2.6) },
    { selector: "edge.unused, node.unused", style: { opacity: 0.35 } },
    { selector: "node.hover", style: { "border-color": palette.accent, "border-width": 2.5 } },
  ];
}

/** Boxes below, then paths, then nodes: else a box veils the paths in it. @type {[string, number][]} */
const LAYERS = [["node.cluster", 0], ["edge", 1], ["node.task, node.group, node.dot", 2]];

const card = {
  "text-margin-x": 10,
  "background-image": "data(card)",
  "background-width": "100%",
  "background-height": "100%",
  "background-fit": "none",
  "background-clip": "none",
  "background-image-containment": "over",
};

/** @param {string} colour @param {number} width */
const line = (colour, width) => ({ "line-color": colour, "target-arrow-color": colour, width });
