// Above the logs: which lines, in which order, finding, looks.
import { h, setAttr, setText } from "../dom.js";
import { LEVELS } from "./query.js";

/** @typedef {import("./query.js").Filters} Filters */
/** @typedef {{view: "task" | "time", wrap: boolean, relative: boolean}} Looks */
/** @typedef {{filter: (change: Filters) => void, look: (change: Partial<Looks>) => void, find: (text: string) => Promise<void>,
 *   go: (direction: 1 | -1) => void, errors: (direction: 1 | -1) => void, follow: (on: boolean) => void,
 *   menu: (button: HTMLElement) => void}} Handlers */

const FIND_AFTER_MS = 250;

/** @param {string} text @param {string} title @param {() => void} run @param {string} [classes] */
function button(text, title, run, classes = "") {
  return h("button", { type: "button", class: `wfx-button ${classes}`, title, "aria-label": title, onclick: run }, text);
}

/** @param {Handlers} handlers */
export function toolbar(handlers) {
  const views = { task: button("By task", "The lines of each task run together", () => handlers.look({ view: "task" })), time: button("By time", "All lines in the order they came", () => handlers.look({ view: "time" })) };
  const level = h("select", { class: "wfx-input", "aria-label": "Least level" }, ...LEVELS.map((name) => h("option", { value: name }, name === "TRACE" ? "All levels" : name === "ERROR" ? "ERROR" : `${name} and worse`)));
  level.addEventListener("change", () => handlers.filter({ level: level.value }));
  const task = h("select", { class: "wfx-input log-tasks", "aria-label": "Task" });
  task.addEventListener("change", () => handlers.filter({ task: task.value || undefined, taskRun: undefined, attempt: undefined }));
  const chip = h("button", { type: "button", class: "wfx-button log-chip", hidden: true, title: "Show the other task runs too" });
  chip.addEventListener("click", () => handlers.filter({ taskRun: undefined, attempt: undefined }));
  const find = finding(handlers);
  const wrap = button("Wrap", "Break long lines", () => handlers.look({ wrap: wrap.getAttribute("aria-pressed") !== "true" }));
  const relative = button("+0.0s", "Times since the start of the execution", () => handlers.look({ relative: relative.getAttribute("aria-pressed") !== "true" }));
  const follow = button("Follow", "Stay at the end while lines come", () => handlers.follow(follow.getAttribute("aria-pressed") !== "true"));
  const errors = [button("‹", "Previous error", () => handlers.errors(-1), "icon danger"), button("›", "Next error", () => handlers.errors(1), "icon danger")];
  const more = button("⋯", "Copy, download, open and close all", () => handlers.menu(more), "icon");
  const element = h(
    "div",
    { class: "log-tools" },
    h("span", { class: "wfx-join" }, views.task, views.time),
    level,
    task,
    chip,
    find.element,
    h("span", { class: "wfx-join" }, errors[0], h("span", { class: "wfx-join-text" }, "error"), errors[1]),
    h("span", { class: "wfx-spring" }),
    wrap,
    relative,
    follow,
    more,
  );
  return {
    element,
    find,
    /** @param {Filters} filters @param {Looks} looks @param {boolean} following */
    show(filters, looks, following) {
      for (const name of /** @type {const} */ (["task", "time"])) setAttr(views[name], "aria-pressed", String(looks.view === name));
      level.value = filters.level ?? LEVELS[0];
      task.value = filters.task ?? "";
      setAttr(wrap, "aria-pressed", String(looks.wrap));
      setAttr(relative, "aria-pressed", String(looks.relative));
      setAttr(follow, "aria-pressed", String(following));
    },
    /** @param {string[]} names @param {string | undefined} chosen */
    tasks(names, chosen) {
      const all = chosen && !names.includes(chosen) ? [chosen, ...names] : names;
      const key = all.join("\n");
      if (task.dataset.shown === key) return;
      task.dataset.shown = key;
      task.replaceChildren(h("option", { value: "" }, "All tasks"), ...all.map((name) => h("option", { value: name }, name)));
      task.value = chosen ?? "";
    },
    /** @param {string} text of the chip for one task run; empty: none */
    only(text) {
      chip.hidden = !text;
      setText(chip, text ? `${text} ×` : "");
    },
  };
}

/** @param {Handlers} handlers */
function finding(handlers) {
  const input = h("input", { type: "search", class: "wfx-input", placeholder: "Find", "aria-label": "Find in the log" });
  const sum = h("span", { class: "wfx-join-text log-hits", role: "status" });
  let timer = 0;
  const tell = () => {
    clearTimeout(timer);
    timer = 0;
    return handlers.find(input.value);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(tell, FIND_AFTER_MS);
  });
  input.addEventListener("keydown", async (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (timer) await tell(); // what was typed this moment is not sought yet
    handlers.go(event.shiftKey ? -1 : 1);
  });
  const element = h("span", { class: "wfx-join" }, input, sum, button("‹", "Previous hit (Shift + Enter)", () => handlers.go(-1), "icon"), button("›", "Next hit (Enter)", () => handlers.go(1), "icon"));
  return {
    element,
    input,
    /** @param {string} text */
    say: (text) => setText(sum, text),
    stop: () => clearTimeout(timer),
  };
}
