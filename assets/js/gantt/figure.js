// What Plotly draws: the bars of a window of rows. Values in, values out.
import { stateInfo } from "../states.js";
import { barsOf } from "./bars.js";

/** @typedef {import("./tree.js").Row} Row */
/** @typedef {import("./axis.js").Range} Range */
/** @typedef {{[token: string]: string}} Palette state token → colour; also panel, border, muted, text */
/** @typedef {{start: number, now: number, range: Range, width: number, ticks: number[], usual: {[task: string]: number}}} Frame
 *  `start` is the execution's, in ms; `usual` the tasks' usual seconds */

/** Height of a bar as a share of its row. */
export const THICK = { queued: 0.16, run: 0.56, parent: 0.2, paused: 0.4, retry: 0.1, mark: 0.4, ghost: 0.72 };
export const LIVE_TRACE = 2;

class Trace {
  constructor() {
    /** @type {number[]} */ this.base = [];
    /** @type {number[]} */ this.x = [];
    /** @type {number[]} */ this.y = [];
    /** @type {number[]} */ this.width = [];
    /** @type {string[]} */ this.colour = [];
  }

  /** @param {number} y @param {number} from @param {number} length @param {number} thick @param {string} colour */
  add(y, from, length, thick, colour) {
    this.base.push(from);
    this.x.push(length);
    this.y.push(y);
    this.width.push(thick);
    this.colour.push(colour);
  }

  /** @param {{[key: string]: any}} look */
  plotly({ opacity = 1, radius = 0, line = 0, lineColour = "rgba(0,0,0,0)", hollow = false }) {
    const colour = hollow ? "rgba(0,0,0,0)" : this.colour;
    const marker = { color: colour, opacity, cornerradius: radius, line: { width: line, color: lineColour } };
    return { type: "bar", orientation: "h", base: this.base, x: this.x, y: this.y, width: this.width, marker, hoverinfo: "none", showlegend: false };
  }
}

/**
 * Traces in fixed order: waiting, ended, live, usual.
 * @param {Row[]} rows those of the window @param {Frame} frame @param {Palette} palette
 * @returns {{data: any[], live: {from: number, length: number}[]}} `live` tells of each point of the live trace what was drawn
 */
export function traces(rows, frame, palette) {
  const [waiting, ended, live, usual] = [new Trace(), new Trace(), new Trace(), new Trace()];
  const least = ((frame.range[1] - frame.range[0]) / Math.max(1, frame.width)) * 2.5;
  rows.forEach((row, y) => {
    for (const bar of barsOf(row.run)) {
      const thick = bar.kind === "run" && row.parent ? THICK.parent : THICK[bar.kind];
      const colour = palette[stateInfo(bar.state).token];
      const length = Math.max(least, (bar.to ?? frame.now) - bar.from);
      const trace = bar.to === null ? live : bar.kind === "queued" || bar.kind === "retry" ? waiting : ended;
      trace.add(y, bar.from - frame.start, length, thick, colour);
    }
    addUsual(usual, row, y, frame, least);
  });
  return {
    data: [
      waiting.plotly({ opacity: 0.7 }),
      ended.plotly({ radius: 2.5, line: 1, lineColour: palette.panel }),
      live.plotly({ opacity: 0.92 }),
      usual.plotly({ hollow: true, line: 1, lineColour: palette.muted, radius: 2.5, opacity: 0.6 }),
    ],
    live: live.base.map((from, index) => ({ from, length: live.x[index] })),
  };
}

/** The usual duration: an outline while it runs, a tick once it ended. @param {Trace} trace @param {Row} row @param {number} y @param {Frame} frame @param {number} least */
function addUsual(trace, row, y, frame, least) {
  const seconds = frame.usual[row.run.task_id];
  const last = barsOf(row.run).findLast((bar) => bar.kind === "run");
  if (!(seconds > 0) || !last || row.parent) return;
  const [from, length] = [last.from - frame.start, seconds * 1000];
  if (last.to === null) trace.add(y, from, length, THICK.ghost, "");
  else if (length > least * 3) trace.add(y, from + length, least / 8, THICK.ghost, "");
}

/** @param {number} rows @param {number} rowHeight @param {Frame} frame @param {Palette} palette */
export function layout(rows, rowHeight, frame, palette) {
  return {
    width: Math.max(40, frame.width),
    height: Math.max(rowHeight, rows * rowHeight),
    margin: { l: 0, r: 0, t: 0, b: 0, pad: 0 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    barmode: "overlay",
    bargap: 0,
    hovermode: false,
    dragmode: "zoom",
    showlegend: false,
    autosize: false,
    uirevision: "gantt",
    xaxis: {
      range: [...frame.range],
      tickvals: frame.ticks,
      showticklabels: false,
      ticks: "",
      gridcolor: palette.border,
      gridwidth: 1,
      zeroline: false,
      fixedrange: false,
    },
    yaxis: { range: [rows - 0.5, -0.5], visible: false, fixedrange: true },
  };
}
