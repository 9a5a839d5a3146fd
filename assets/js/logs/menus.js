// Menus of the logs: of a line, and of the whole.
import { logsUrl } from "../execution/links.js";
import { lineText } from "./drawer.js";
import { logsAddress, restQuery } from "./query.js";
import { plain } from "./sgr.js";

/** @typedef {import("./view.js").LogsView} LogsView */
/** @typedef {import("../execution/popup.js").Item} Item */

/** @param {LogsView} view @param {number} seq */
function entryOf(view, seq) {
  const place = view.pane.inView().find((one) => view.book?.entry(one)?.seq === seq);
  return place && view.book?.entry(place);
}

/** @param {LogsView} view @param {number} seq @returns {Item[]} */
export function lineMenu(view, seq) {
  const entry = entryOf(view, seq);
  const { filters, looks, params } = view;
  const place = { ...filters, view: looks.view, line: seq };
  const link = new URL(logsUrl(params.id, place), location.href).href;
  const other = looks.view === "task" ? "time" : "task";
  return [
    { label: "Copy the line", run: () => entry && view.copy(lineText(entry)) },
    { label: "Copy the message", run: () => entry && view.copy(plain(entry.message)) },
    { label: "Copy a link to the line", hint: `#L${seq}`, run: () => linkTo(view, seq, link) },
    null,
    { label: other === "time" ? "What came before and after it" : "Among the lines of its task run", run: () => around(view, seq, other) },
    ...(entry?.task_run_id && !filters.taskRun
      ? [{ label: "Only this task run", run: () => view.setFilters({ taskRun: entry.task_run_id ?? undefined, task: undefined }) }]
      : []),
  ];
}

/** @param {LogsView} view @param {number} seq @param {string} link */
function linkTo(view, seq, link) {
  view.address(seq);
  view.copy(link);
}

/** The line in the other order, among all lines. @param {LogsView} view @param {number} seq @param {"task" | "time"} other */
function around(view, seq, other) {
  view.filters = { level: view.filters.level };
  view.setLooks({ view: other });
  view.follow(false);
  void view.seeker.goLine(seq);
}

/** @param {LogsView} view @param {HTMLElement} button @returns {Item[]} */
export function moreMenu(view, button) {
  const filtered = Object.values(view.filters).some(Boolean);
  const download = (/** @type {import("./query.js").Filters} */ filters) => () =>
    location.assign(logsAddress(view.params.id, "download", restQuery(filters, { order: view.looks.view })));
  return [
    { label: "Copy the lines in view", run: () => view.copy(view.visibleText(), button) },
    { label: "Download all lines", run: download({}) },
    ...(filtered ? [{ label: "Download what is filtered", run: download(view.filters) }] : []),
    ...(view.looks.view === "task" ? [null, { label: "Open all", run: () => view.openAll(true) }, { label: "Close all", run: () => view.openAll(false) }] : []),
  ];
}
