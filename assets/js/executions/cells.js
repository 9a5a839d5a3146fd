// What the cells of the table draw. Text is set as text, never as markup; a cell that stays is changed in place.
//
// A busy list makes dozens of rows a second, so a cell is as little as it can be: a copy of a template, changed in place. Tooltips and
// clicks are looked after by the table as a whole (hover.js), not by each cell.
import { actionConfig } from "../actions/menu.js";
import { quick, whyNot } from "../actions/model.js";
import { h, setAttr, setText } from "../dom.js";
import { brief, duration, shortId, ticking, toMs } from "../format.js";
import { setBadge, stateBadge } from "../states.js";
import { actionGlyph } from "./glyphs.js";

/** @typedef {import("../live/types.js").Row} Row */

const ID_LENGTH = 11;

/** Cells on the screen by the grid's node of their row. @type {WeakMap<object, Set<{draw: (row: Row) => void}>>} */
const drawn = new WeakMap();

/** The cells that a row has on the screen. @param {object} node the grid's node of the row */
export function cellsOf(node) {
  const cells = drawn.get(node) ?? new Set();
  drawn.set(node, cells);
  return cells;
}

/** A renderer of AG Grid from two functions: `make` once for a cell, `show` for each value. The table is in `params.table`; its
 * grid tells each cell of a row's new values itself, since AG Grid's own way renders every cell by React in a task of its own.
 * @param {(row: Row | undefined) => HTMLElement} make @param {(element: HTMLElement, row: Row, table: any) => void} show
 * @param {(element: HTMLElement, table: any) => void} [gone] */
function cell(make, show, gone) {
  return class {
    /** @param {any} params */
    init({ data, node, table }) {
      this.table = table;
      this.cells = cellsOf(node);
      this.cells.add(this);
      this.element = make(data);
      if (data) this.draw(data);
    }

    getGui() {
      return /** @type {HTMLElement} */ (this.element);
    }

    /** @param {Row} row */
    draw(row) {
      show(/** @type {HTMLElement} */ (this.element), row, this.table);
    }

    /** @param {any} params */
    refresh({ data }) {
      if (data) this.draw(data);
      return true;
    }

    destroy() {
      this.cells?.delete(this);
      if (this.element) gone?.(this.element, this.table);
    }
  };
}

/** Elements to copy instead of building them anew. @type {Map<string, HTMLElement>} */
const templates = new Map();

/** @param {string} name @param {() => HTMLElement} build */
function copyOf(name, build) {
  const template = templates.get(name) ?? build();
  templates.set(name, template);
  return /** @type {HTMLElement} */ (template.cloneNode(true));
}

/** @param {string} state */
const badgeOf = (state) => copyOf(`state ${state}`, () => stateBadge(state));
const State = cell((row) => badgeOf(row?.state ?? "CREATED"), (badge, row) => setBadge(badge, row.state));

const Flow = cell(
  () => copyOf("link", () => h("a", { class: "wf-cell wf-open", tabindex: "-1" })),
  (link, row) => {
    setText(link, row.flow_id);
    setAttr(link, "href", `/executions/${encodeURIComponent(row.id)}`);
  },
);

/** @param {HTMLElement} element @param {Row} row @param {any} table */
export function showDuration(element, row, table) {
  const start = toMs(row.start_date);
  const running = !row.end_date;
  setText(element, running ? ticking(table.now() - start) : duration(toMs(row.end_date) - start));
  element.classList.toggle("running", running);
  if (running) table.ticking.set(element, row);
  else table.ticking.delete(element);
}

const Duration = cell(
  () => copyOf("duration", () => h("span", { class: "wf-cell duration" })),
  showDuration,
  (element, table) => table.ticking.delete(element),
);

/** @param {Row} row */
export const labelWords = (row) => Object.entries(row.labels ?? {}).map(([key, value]) => `${key}:${value}`);

const Labels = cell(
  () => copyOf("labels", () => h("span", { class: "wf-cell labels" })),
  (element, row) => {
    const labels = labelWords(row).filter((label) => !label.startsWith("system."));
    while (element.children.length > labels.length) element.lastElementChild?.remove();
    labels.forEach((label, index) => {
      const chip = element.children[index] ?? element.appendChild(h("span", { class: "wf-label" }));
      setText(chip, label);
    });
  },
);

/** @param {any} info */
function actionButton(info) {
  const classes = info.danger ? "wf-row-action danger" : "wf-row-action";
  return h(
    "button",
    { type: "button", tabindex: "-1", class: classes, "aria-label": info.title, "data-action": info.action },
    actionGlyph(info.action),
  );
}

function moreButton() {
  const attributes = { "aria-label": "All actions", "aria-haspopup": "menu", "aria-expanded": "false", "data-more": "" };
  return h("button", { type: "button", tabindex: "-1", class: "wf-row-action", ...attributes }, actionGlyph("more"));
}

/** @type {import("../actions/model.js").ActionInfo[] | null} */
let rowActions = null;

const Menu = cell(
  () => copyOf("menu", () => h("span", { class: "wf-row-actions" }, ...quick(actionConfig()).map(actionButton), moreButton())),
  (bar, row) => {
    const key = `${row.state} ${row.namespace}`;
    if (bar.dataset.key === key) return;
    bar.dataset.key = key;
    (rowActions ??= quick(actionConfig())).forEach((info, index) => {
      setAttr(bar.children[index], "aria-disabled", whyNot(info, row, actionConfig()) === null ? null : "true");
    });
  },
);

const Parent = cell(
  () => copyOf("link", () => h("a", { class: "wf-cell wf-open", tabindex: "-1" })),
  (link, row) => {
    setText(link, row.parent_id ? shortId(row.parent_id, ID_LENGTH) : "");
    setAttr(link, "href", row.parent_id ? `/executions/${encodeURIComponent(row.parent_id)}` : null);
  },
);

const Progress = cell(
  () => copyOf("progress", () => h("span", { class: "wf-cell wf-progress" }, h("i"), h("span"))),
  (element, row, table) => table.extras.showProgress(element, row),
  (element, table) => table.extras.forget(element),
);

/** @param {"inputs" | "outputs"} name */
const values = (name) =>
  cell(
    () => copyOf("text", () => h("span", { class: "wf-cell" })),
    (element, row, table) => table.extras.showValues(element, row, name),
    (element, table) => table.extras.forget(element),
  );

/** Plain text. @param {(row: Row, table: any) => string} text */
const words = (text) =>
  cell(
    () => copyOf("text", () => h("span", { class: "wf-cell" })),
    (element, row, table) => setText(element, text(row, table)),
  );

/** How each column is drawn, by its id. */
export const CELLS = {
  state: State,
  flow: Flow,
  namespace: words((row) => row.namespace),
  start: words((row, table) => brief(toMs(row.start_date), table.now())),
  end: words((row, table) => (row.end_date ? brief(toMs(row.end_date), table.now()) : "")),
  duration: Duration,
  progress: Progress,
  inputs: values("inputs"),
  outputs: values("outputs"),
  last_task: words((row) => row.last_task ?? ""),
  trigger: words((row) => row.trigger_id ?? row.trigger_type ?? ""),
  labels: Labels,
  error: words((row) => (row.error ?? "").split("\n", 1)[0]),
  revision: words((row) => String(row.revision)),
  attempt: words((row) => String(row.attempt_number ?? 1)),
  parent: Parent,
  kind: words((row) => row.kind ?? "NORMAL"),
  id: words((row) => shortId(row.id, ID_LENGTH)),
  menu: Menu,
};
