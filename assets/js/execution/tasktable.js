// Summary of the task runs: a line a task with its states, tries and time.
import { h, setText } from "../dom.js";
import { count, duration, ticking } from "../format.js";
import { isTerminal, stateBadge, stateInfo, worst } from "../states.js";
import { summary } from "./fold.js";
import { internal, logsUrl } from "./links.js";

/** @typedef {import("./fold.js").Model} Model */
/** @typedef {ReturnType<typeof summary>[number]} Task */

const MOST = 300;

/** @param {Task} task @param {string} id */
function row(task, id) {
  const state = worst(task.states.keys()) ?? "CREATED";
  const link = internal(h("a", { href: logsUrl(id, { task: task.task }), title: "logs of this task" }, task.task));
  const parts = [...task.states].sort(([a], [b]) => stateInfo(b).severity - stateInfo(a).severity);
  const states = task.total === 1 ? [stateBadge(state)] : parts.map(([name, n]) => h("span", { class: "wfx-states" }, stateBadge(name, { small: true }), count(n)));
  return h(
    "tr",
    { "data-token": stateInfo(state).token },
    h("td", { class: "name" }, link),
    h("td", {}, ...states),
    h("td", { class: "number" }, task.total > 1 ? count(task.total) : ""),
    h("td", { class: "number" }, task.attempts > 1 ? count(task.attempts) : ""),
    h("td", { class: "number long" }),
    h("td", { class: "error", title: task.error }, task.error?.split("\n", 1)[0] ?? ""),
  );
}

/** @param {Task} task */
const running = (task) => [...task.states.keys()].some((state) => !isTerminal(state));

/**
 * @param {() => string} id the execution's
 * @returns {{element: HTMLElement, show: (model: Model, now: number) => void, tick: (model: Model, now: number) => void}}
 */
export function taskTable(id) {
  const head = ["Task", "State", "Runs", "Tries", "Time", "First error"].map((title, index) => h("th", { class: index > 1 && index < 5 ? "number" : null }, title));
  const body = h("tbody");
  const note = h("p", { class: "wfx-note" });
  const element = h("div", { class: "wfx-scroll" }, h("table", { class: "wfx-table" }, h("thead", {}, h("tr", {}, ...head)), body), note);
  let shown = "";
  const times = (/** @type {Task[]} */ tasks) =>
    tasks.forEach((task, index) => {
      const cell = /** @type {Element} */ (body.children[index].querySelector(".long"));
      setText(cell, task.ms ? (running(task) ? ticking(task.ms) : duration(task.ms)) : "");
    });
  const show = (/** @type {Model} */ model, /** @type {number} */ now) => {
    const all = summary(model, now, isTerminal);
    const tasks = all.slice(0, MOST);
    const key = tasks.map((task) => [task.task, task.total, task.attempts, task.error, ...task.states.keys(), ...task.states.values()].join()).join("|");
    if (key !== shown) {
      shown = key;
      body.replaceChildren(...tasks.map((task) => row(task, id())));
      setText(note, all.length > MOST ? `and ${all.length - MOST} more tasks; the Gantt shows all` : all.length ? "" : "No task has started yet.");
    }
    times(tasks);
  };
  return { element, show, tick: show };
}
