// What the cells of the table draw. Text is set as text, never as markup; a cell that stays is changed in place.
import { refusal, request } from "../execution/actions.js";
import { internal } from "../execution/links.js";
import { copyText, h, pageConfig, setAttr, setText } from "../dom.js";
import { duration, exact, moment, shortId, ticking, toMs } from "../format.js";
import { setBadge, stateBadge } from "../states.js";

/**
 * @typedef {import("../live/types.js").Row} Row
 * @typedef {{data: Row, context?: any, colDef?: any}} Params
 */

/** A renderer of AG Grid from two functions: `make` once for a cell, `show` for each value. The table is in `params.table`.
 * @param {(params: any) => HTMLElement} make @param {(element: HTMLElement, row: Row, table: any) => void} show
 * @param {(element: HTMLElement, table: any) => void} [gone] */
function cell(make, show, gone) {
  return class {
    /** @param {any} params */
    init(params) {
      this.table = params.table;
      this.element = make(params);
      if (params.data) show(this.element, params.data, this.table);
    }

    getGui() {
      return /** @type {HTMLElement} */ (this.element);
    }

    /** @param {any} params */
    refresh(params) {
      if (params.data && this.element) show(this.element, params.data, this.table);
      return true;
    }

    destroy() {
      if (this.element) gone?.(this.element, this.table);
    }
  };
}

const text = (/** @type {string} */ name) => () => h("span", { class: `wf-cell ${name}` });

/** @param {HTMLElement} element @param {string} value @param {string} [title] */
function write(element, value, title = value) {
  setText(element, value);
  setAttr(element, "title", title || null);
}

const State = cell(({ data }) => stateBadge(data?.state ?? "CREATED"), (badge, row) => setBadge(badge, row.state));

/** @param {string} id */
const pathOf = (id) => `/executions/${encodeURIComponent(id)}`;

const Flow = cell(
  () => internal(h("a", { class: "wf-cell wf-open" })),
  (link, row) => {
    write(link, row.flow_id, `${row.namespace} / ${row.flow_id}, revision ${row.revision}`);
    setAttr(link, "href", pathOf(row.id));
  },
);

const Id = cell(
  () => {
    const button = h("button", { type: "button", class: "wf-id", tabindex: "-1" });
    button.addEventListener("click", () => copyText(button.dataset.id ?? "", button));
    return button;
  },
  (button, row) => {
    button.dataset.id = row.id;
    write(button, shortId(row.id), `${row.id}\nclick to copy`);
  },
);

const Start = cell(text("start"), (element, row, table) => {
  const start = toMs(row.start_date);
  write(element, moment(start, table.now()), exact(start));
});

/** @param {HTMLElement} element @param {Row} row @param {any} table */
export function showDuration(element, row, table) {
  const start = toMs(row.start_date);
  const running = !row.end_date;
  write(element, running ? ticking(table.now() - start) : duration(toMs(row.end_date) - start), "");
  element.classList.toggle("running", running);
  if (running) table.ticking.set(element, row);
  else table.ticking.delete(element);
}

const Duration = cell(text("duration"), showDuration, (element, table) => table.ticking.delete(element));
const Namespace = cell(text("namespace"), (element, row) => write(element, row.namespace));
const LastTask = cell(text("last-task"), (element, row) => write(element, row.last_task ?? ""));
const Trigger = cell(text("trigger"), (element, row) => write(element, row.trigger_id ?? row.trigger_type ?? "", row.trigger_type));
const ErrorLine = cell(text("error"), (element, row) => write(element, (row.error ?? "").split("\n", 1)[0], row.error));

const Labels = cell(text("labels"), (element, row) => {
  const labels = Object.entries(row.labels ?? {});
  const words = labels.map(([key, value]) => `${key}:${value}`);
  const shown = words.join("  ");
  if (element.dataset.shown === shown) return;
  element.dataset.shown = shown;
  element.title = words.join("\n");
  element.replaceChildren(
    ...labels.map(([key], index) => h("span", { class: key.startsWith("system.") ? "wf-label system" : "wf-label" }, words[index])),
  );
});

/** @type {{[action: string]: string}} */
const ICONS = { kill: "kill", pause: "pause-outline", resume: "resume", restart: "restart" };

/** @param {any} info @param {HTMLElement} bar */
function actionButton(info, bar) {
  const icon = h("i", { class: `wf-icon wf-icon-${ICONS[info.action] ?? "bolt"}`, "aria-hidden": "true" });
  const button = h(
    "button",
    { type: "button", tabindex: "-1", class: info.danger ? "wf-row-action danger" : "wf-row-action", "aria-label": info.title, "data-action": info.action },
    icon,
  );
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") !== "true") request(info.action, [bar.dataset.id ?? ""]);
  });
  return button;
}

const Menu = cell(
  () => {
    const bar = h("span", { class: "wf-row-actions" });
    bar.append(...(pageConfig().actions ?? []).map((/** @type {any} */ info) => actionButton(info, bar)));
    return bar;
  },
  (bar, row) => {
    const { actions = [], role } = pageConfig();
    bar.dataset.id = row.id;
    actions.forEach((/** @type {any} */ info, /** @type {number} */ index) => {
      const reason = role === "viewer" ? "Your role, viewer, may look only." : refusal(info, row.state);
      const button = /** @type {HTMLElement} */ (bar.children[index]);
      setAttr(button, "aria-disabled", String(reason !== null));
      setAttr(button, "title", reason ?? `${info.title} this execution`);
    });
  },
);

/** Renderers by column id, and what else a column needs so that AG Grid knows when its cell has to change. */
export const CELLS = {
  state: { cellRenderer: State },
  flow: { cellRenderer: Flow },
  id: { cellRenderer: Id },
  start: { cellRenderer: Start },
  duration: { cellRenderer: Duration, valueGetter: (/** @type {any} */ { data }) => data?.end_date ?? "running" },
  namespace: { cellRenderer: Namespace },
  labels: { cellRenderer: Labels },
  trigger: { cellRenderer: Trigger },
  last_task: { cellRenderer: LastTask },
  error: { cellRenderer: ErrorLine },
  menu: { cellRenderer: Menu, valueGetter: (/** @type {any} */ { data }) => data?.state },
};
