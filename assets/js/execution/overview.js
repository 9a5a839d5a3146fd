// View `overview`: what happened to this execution, at a glance.
// Params: {id, usual?: {p50, p95}, execution?: {inputs, outputs, variables, trigger}}. The element is empty.
// Inputs and outputs are not part of the live topic: they come with the params or by REST, again after the end.
import { h } from "../dom.js";
import { valueText } from "../format.js";
import { isTerminal } from "../states.js";
import { onTick } from "./clock.js";
import { facts } from "./facts.js";
import { firstFailure } from "./fold.js";
import { historyPanel } from "./history.js";
import { firstWords, internal, logsUrl, tabPath } from "./links.js";
import { relations } from "./relations.js";
import { watch } from "./store.js";
import { taskTable } from "./tasktable.js";
import { valueTree } from "./values.js";

/** @typedef {{id: string, usual?: any, execution?: any}} Params */
/** @typedef {import("./fold.js").Model} Model */

/** @param {string} title @param {Node} content @param {string} [name] */
export function panel(title, content, name = "") {
  return h("section", { class: `wfx-panel ${name}` }, h("h2", {}, title), content);
}

/** @param {HTMLElement} box @param {Model} model @param {string} id */
function showError(box, model, id) {
  const failure = model.row && firstFailure(model);
  const text = failure?.error || model.row?.error || "";
  const key = `${failure?.run.id}:${failure?.attempt}:${text}:${model.row?.state}`;
  if (box.dataset.shown === key) return;
  box.dataset.shown = key;
  box.hidden = !text;
  if (!text) return;
  box.dataset.token = model.row?.state === "FAILED" ? "failed" : "retrying";
  const where = failure ? `${failure.run.task_id}${valueText(failure.run) ? ` [${valueText(failure.run)}]` : ""}, attempt ${failure.attempt}` : "";
  const place = failure ? { taskRun: failure.run.id, attempt: failure.attempt, find: firstWords(text) } : { level: "ERROR" };
  box.replaceChildren(
    h("div", { class: "wfx-error-head" }, h("b", {}, "First error"), h("span", {}, where)),
    h("pre", {}, text),
    h(
      "div",
      { class: "wfx-error-links" },
      internal(h("a", { class: "wfx-button primary", href: logsUrl(id, place) }, "Show it in the logs")),
      internal(h("a", { class: "wfx-button", href: tabPath(id, "gantt") }, "Gantt")),
    ),
  );
}

/** @param {string} id @returns {Promise<any>} the execution by REST, null when it can't be had */
async function fetchExecution(id) {
  try {
    const answer = await fetch(`/api/v1/main/executions/${encodeURIComponent(id)}`, { headers: { accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** @param {HTMLElement} element @param {any} execution */
function showValues(element, execution) {
  const { inputs, outputs, variables, trigger } = execution ?? {};
  const groups = [["Inputs", inputs], ["Outputs", outputs], ["Trigger", trigger?.variables], ["Variables", variables]];
  const filled = groups.filter(([, values]) => values && Object.keys(values).length);
  element.replaceChildren(...filled.map(([title, values]) => panel(String(title), valueTree(values), "values")));
}

/** @param {HTMLElement} element @param {Params} first @param {any} live */
export function overview(element, first, live) {
  let params = first;
  const error = h("section", { class: "wfx-error", role: "alert", hidden: true });
  const history = historyPanel();
  const tasks = taskTable(() => params.id);
  const sums = facts();
  const came = relations(live);
  const values = h("div", { class: "wfx-values" });
  const main = h("div", { class: "wfx-main" }, error, panel("Status history", history.element), panel("Task runs", tasks.element, "tasks"), came.element);
  const root = h("div", { class: "wfx-overview" }, main, h("div", { class: "wfx-aside" }, panel("Facts", sums.element), values));
  element.replaceChildren(root);
  let valuesOf = "";

  const loadValues = async (/** @type {string} */ id, /** @type {string} */ state) => {
    valuesOf = `${id}:${isTerminal(state)}`;
    const execution = await fetchExecution(id);
    if (execution && id === params.id) showValues(values, execution);
  };
  const show = (/** @type {Model} */ model) => {
    const now = live.confirmedNow();
    if (!model.row) return;
    showError(error, model, params.id);
    history.show(model.history, now);
    sums.show(model.row, params.usual, now);
    tasks.show(model, now);
    if (valuesOf !== `${params.id}:${isTerminal(model.row.state)}`) void loadValues(params.id, model.row.state);
  };
  const listen = () => watch(live, params.id, { changed: (_, model) => show(model) });
  showValues(values, params.execution);
  let watching = listen();
  came.follow(params.id);
  const stop = onTick(live, (now) => {
    const { row } = watching.model;
    came.tick(now);
    if (!row || isTerminal(row.state)) return;
    history.show(watching.model.history, now);
    sums.show(row, params.usual, now);
    tasks.tick(watching.model, now);
  });
  return {
    /** @param {Params} next */
    update(next) {
      const other = next.id !== params.id;
      params = next;
      if (!other) return show(watching.model);
      watching.close();
      watching = listen();
      came.follow(params.id);
      return undefined;
    },
    unmount() {
      stop();
      watching.close();
      came.close();
      root.remove();
    },
  };
}

