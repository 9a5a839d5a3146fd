// The elements of the logs, and what they say.
import { h, setText } from "../dom.js";
import { count, plural, valueText } from "../format.js";
import { isTerminal } from "../states.js";
import { taskNames } from "./heads.js";
import { toolbar } from "./toolbar.js";

/** @typedef {import("../execution/fold.js").Model} Model */
/** @typedef {import("./query.js").Filters} Filters */
/** @typedef {{book: import("./book.js").Book, model: Model, filters: Filters, looks: import("./toolbar.js").Looks, following: boolean, unseen: number}} State */

/** The line below: how many lines, whether more come, what went wrong. @param {State} state */
export function footText({ book, model }) {
  const state = model.row?.state;
  return [
    book.ready ? plural(book.total, "line") : "loading",
    state && isTerminal(state) ? `ended ${state}; late lines still come in` : "lines come as they are written",
    book.skipped ? `${count(book.skipped)} came too fast and were skipped here: they are read when you scroll there` : "",
    book.problem ? `lines could not be read: ${book.problem}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

/** What the chip of a single task run says. @param {Filters} filters @param {Model} model */
export function onlyText({ taskRun, attempt }, model) {
  const run = taskRun ? model.tasks.get(taskRun) : undefined;
  const name = run ? `${run.task_id} ${valueText(run)}`.trim() : taskRun?.slice(0, 8) ?? "";
  return [name, attempt ? `try ${attempt}` : ""].filter(Boolean).join(", ");
}

/**
 * @param {HTMLElement} element @param {HTMLElement} pane
 * @param {import("./toolbar.js").Handlers} handlers
 */
export function shell(element, pane, handlers) {
  const tools = toolbar(handlers);
  const fresh = h("button", { type: "button", class: "log-new", hidden: true, onclick: () => handlers.follow(true) });
  const empty = h("p", { class: "wfx-empty log-empty", hidden: true });
  const foot = h("div", { class: "log-foot", role: "status" });
  const root = h("div", { class: "logs" }, tools.element, h("div", { class: "log-area" }, pane, empty, fresh), foot);
  element.append(root);
  return {
    tools,
    root,
    /** @param {State} state */
    show(state) {
      const { book, model, filters, looks, following, unseen } = state;
      tools.show(filters, looks, following);
      tools.tasks(taskNames(model), filters.task);
      tools.only(onlyText(filters, model));
      fresh.hidden = unseen === 0;
      setText(fresh, `↓ ${plural(unseen, "new line")}`);
      setText(foot, footText(state));
      empty.hidden = !book.ready || book.sections.rows > 0;
      setText(empty, Object.values(filters).some(Boolean) ? "No line fits the filter." : "No line yet. Lines come here as tasks write them.");
    },
  };
}
