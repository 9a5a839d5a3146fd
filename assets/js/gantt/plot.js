// The Plotly side of the Gantt: draws a figure, lets the live bars grow by a transform, tells of zooms.

/** @typedef {[number, number]} Range */
/** @typedef {{zoomed: (range: Range) => void, reset: () => void}} Handlers */

const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, scrollZoom: false, showTips: false };

/** @param {() => boolean} ready @param {() => boolean} gone */
async function until(ready, gone) {
  while (!ready() && !gone()) await new Promise((resolve) => setTimeout(resolve, 30));
}

/** The plot of a dcc.Graph once it is drawn, or one of our own where there is no such component.
 * @param {HTMLElement} host @param {string | undefined} graphId @param {() => boolean} gone */
async function findPlot(host, graphId, gone) {
  const graph = () => (graphId ? document.getElementById(graphId) : null);
  if (!graph()) {
    await until(() => Boolean(/** @type {any} */ (window).Plotly), gone);
    const own = document.createElement("div");
    host.append(own);
    return { box: own, plot: /** @type {any} */ (own) };
  }
  const plot = () => /** @type {any} */ (graph()?.querySelector(".js-plotly-plot") ?? null);
  await until(() => Boolean(plot()?._fullLayout), gone);
  return { box: /** @type {HTMLElement} */ (graph()), plot: plot() };
}

export class Plot {
  /** @param {HTMLElement} host @param {string | undefined} graphId @param {Handlers} handlers */
  constructor(host, graphId, handlers) {
    this.closed = false;
    /** @type {any} */
    this.plot = null;
    /** @type {HTMLElement | null} */
    this.box = null;
    /** @type {{from: number, length: number}[]} */
    this.live = [];
    /** @type {[number, SVGPathElement][] | null} */
    this.paths = null;
    this.handlers = handlers;
    this.liveTrace = 0;
    this.drawing = false;
    this.ready = this.find(host, graphId);
  }

  /** @param {HTMLElement} host @param {string | undefined} graphId */
  async find(host, graphId) {
    const { box, plot } = await findPlot(host, graphId, () => this.closed);
    if (this.closed) return;
    this.box = box;
    this.plot = plot;
    box.classList.add("gantt-plot");
  }

  /**
   * @param {any[]} data @param {any} layout @param {{from: number, length: number}[]} live @param {number} liveTrace
   */
  draw(data, layout, live, liveTrace) {
    if (!this.plot || this.closed) return;
    this.live = live;
    this.liveTrace = liveTrace;
    const first = !this.plot._wfListens;
    this.drawing = true;
    /** @type {any} */ (window).Plotly.react(this.plot, data, layout, CONFIG);
    this.drawing = false;
    if (first) this.listen();
    this.paths = null;
  }

  listen() {
    this.plot._wfListens = true;
    this.plot.on("plotly_relayout", (/** @type {any} */ change) => {
      const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (!this.drawing && from !== undefined) this.handlers.zoomed([Number(from), Number(to)]);
    });
    this.plot.on("plotly_doubleclick", () => this.handlers.reset());
  }

  /** Let the live bars reach `at`: a transform of their paths, nothing is drawn anew. @param {number} at */
  grow(at) {
    if (!this.live.length || !this.plot) return;
    this.paths ??= livePaths(this.plot, this.liveTrace);
    for (const [index, path] of this.paths) {
      const drawn = this.live[index];
      if (drawn) path.style.transform = `scaleX(${Math.max(1, (at - drawn.from) / drawn.length).toFixed(5)})`;
    }
  }

  close() {
    this.closed = true;
    this.plot?.removeAllListeners?.("plotly_relayout");
    this.plot?.removeAllListeners?.("plotly_doubleclick");
    if (this.plot) delete this.plot._wfListens;
  }
}

/** @param {any} plot @param {number} trace @returns {[number, SVGPathElement][]} index of the point, its path */
function livePaths(plot, trace) {
  const groups = [...plot.querySelectorAll(".barlayer .trace")];
  const group = groups.find((one) => one.__data__?.[0]?.trace?.index === trace);
  const paths = [...(group?.querySelectorAll(".point path") ?? [])];
  return paths.map((path) => {
    path.style.transformBox = "fill-box";
    path.style.transformOrigin = "left center";
    return [path.parentNode.__data__.i, path];
  });
}
