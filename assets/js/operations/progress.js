// View `operation-progress`: an operation in the dialog that started it: how far it is, live, and what was refused. Params: {id}.
import { h, setAttr, setText } from "../dom.js";
import { internal } from "../execution/links.js";
import { count, duration, plural, shortId } from "../format.js";
import { elapsed, hasEnded, remaining, tally } from "./model.js";
import { address, ask, badge, bar } from "./parts.js";

/** @typedef {import("./model.js").Operation} Operation */

const SHOWN = 20; // results in the dialog; the operation's own page has all

/** @param {Operation} operation @returns {string} */
export function words(operation) {
  const { done, refused, unknown, left } = tally(operation);
  const parts = [
    `${count(done)} of ${plural(operation.total, "execution")} done`,
    refused && `${count(refused)} refused`,
    unknown && `${count(unknown)} not found`,
    left && `${count(left)} ${hasEnded(operation) ? "left out" : "to go"}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

/** Where it stands: how long it took, or may still take. @param {Operation} operation @param {number} now */
export function pace(operation, now) {
  if (hasEnded(operation)) return `${operation.state.toLowerCase()} in ${duration(elapsed(operation, now))}`;
  if (operation.state === "STOPPING") return "stopping: what the executor was told of is still done";
  return remaining(operation, now);
}

/** @param {string} id */
function build(id) {
  const parts = {
    bar: bar(),
    words: h("p", { class: "wf-progress-words", role: "status" }),
    pace: h("span", { class: "wf-muted" }),
    stop: h("button", { type: "button", class: "wf-button", "data-stop": "", hidden: true }, "Stop"),
    results: h("div", { class: "wf-results" }),
    error: h("div", { class: "wf-form-error", role: "alert" }),
  };
  const csv = h("a", { href: address(id, "/results/csv"), download: `operation-${id}.csv` }, "Results as CSV");
  const page = internal(h("a", { href: `/operations/${encodeURIComponent(id)}` }, "Open the operation"));
  const foot = h("div", { class: "wf-progress-foot" }, parts.pace, csv, page, parts.stop);
  return { ...parts, root: h("div", { class: "wf-operation" }, parts.bar.element, parts.words, foot, parts.error, parts.results) };
}

/** @param {ReturnType<typeof build>} parts @param {Operation} operation @param {number} now */
function show(parts, operation, now) {
  parts.bar.show(operation);
  setAttr(parts.root, "data-state", operation.state);
  setText(parts.words, words(operation));
  setText(parts.pace, pace(operation, now));
  parts.stop.hidden = !["PREPARING", "RUNNING"].includes(operation.state);
}

/** What became of some executions: of those it was refused for, where there are any. @param {Operation} operation */
async function results(operation) {
  /** @type {{[name: string]: string | number}} */
  const query = tally(operation).refused ? { size: SHOWN, state: "refused" } : { size: SHOWN };
  const { body, error } = await ask(address(operation.id, "/results", query));
  if (error) return [h("p", { class: "wf-form-error" }, error)];
  const rest = body.total - body.results.length;
  return [h("table", {}, h("tbody", {}, ...body.results.map(line))), ...(rest ? [h("p", { class: "wf-muted" }, `and ${count(rest)} more`)] : [])];
}

/** @param {{executionId: string, result: string, why?: string, newId?: string, flowId?: string}} one */
function line({ executionId, result, why, newId, flowId }) {
  const link = (/** @type {string} */ id) => internal(h("a", { class: "wf-mono", href: `/executions/${encodeURIComponent(id)}`, title: id }, shortId(id)));
  const said = newId ? ["made ", link(newId)] : [why ?? ""];
  return h("tr", { "data-result": result }, h("td", {}, link(executionId)), h("td", {}, flowId ?? ""), h("td", {}, badge(result)), h("td", {}, ...said));
}

/** @param {HTMLElement} element @param {{id: string}} params @param {any} live */
export function operationProgress(element, { id }, live) {
  const parts = build(id);
  let ended = false;
  parts.stop.addEventListener("click", () => void ask(address(id, "/stop"), { method: "POST" }).then(({ error }) => setText(parts.error, error)));
  element.replaceChildren(parts.root);
  const take = (/** @type {Operation | undefined} */ operation) => {
    if (!operation) return;
    show(parts, operation, live.confirmedNow());
    if (ended || !hasEnded(operation)) return;
    ended = true;
    void results(operation).then((found) => parts.results.replaceChildren(...found));
  };
  const subscription = live.subscribe("operation", { id }, {
    snapshot: (/** @type {any} */ { operations }) => take(operations[0]),
    items: (/** @type {any[]} */ items) => take(items.findLast(({ t }) => t === "operation")?.operation),
    refused: (/** @type {string} */ error) => setText(parts.error, error),
  });
  return { unmount: () => subscription.close() };
}
