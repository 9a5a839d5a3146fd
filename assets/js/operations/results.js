// The results of an operation: a page of them, by result and text, asked for again while they change.
import { h, setText } from "../dom.js";
import { internal } from "../execution/links.js";
import { pager } from "../executions/pager.js";
import { count, shortId } from "../format.js";
import { stateBadge } from "../states.js";
import { RESULTS, hasEnded, leftResult, tally } from "./model.js";
import { address, ask, badge } from "./parts.js";

/** @typedef {import("./model.js").Operation} Operation */

const AGAIN_MS = 1000; // between two looks at results while they change
const TYPED_MS = 200;

export class Results {
  /** @param {string} id @param {(error: string) => void} fail */
  constructor(id, fail) {
    this.id = id;
    this.fail = fail;
    this.want = { result: "", q: "", page: 1, size: 50 };
    /** @type {Operation | null} */
    this.operation = null;
    /** @type {any} */
    this.timer = null;
    this.shown = "";
    this.chips = RESULTS.map(([name, word, title]) => this.chip(name, word, title));
    this.search = h("input", { type: "search", class: "wf-ops-search", placeholder: "Find an id or a reason", "aria-label": "Find in the results" });
    this.search.addEventListener("input", () => this.typed());
    this.body = h("tbody");
    this.none = h("p", { class: "wf-ops-none", hidden: true });
    const heads = ["#", "Execution", "Flow", "State now", "Result", "Why"].map((word) => h("th", {}, word));
    const place = h("div", { class: "wf-pager" });
    this.pager = pager(place, [50, 100, 200], (to) => this.ask(to));
    const bar = h("div", { class: "wf-ops-tools" }, h("div", { class: "wf-counts", role: "group", "aria-label": "By result" }, ...this.chips.map(({ element }) => element)), h("span", { class: "wf-spring" }), this.search);
    this.element = h("section", { class: "wf-ops-results" }, bar,
      h("div", { class: "wf-ops-scroll" }, h("table", { class: "wf-plain-table wf-ops-rows" }, h("thead", {}, h("tr", {}, ...heads)), this.body), this.none), place);
  }

  /** @param {string} name @param {string} word @param {string} title */
  chip(name, word, title) {
    const number = h("b");
    const element = h("button", { type: "button", class: "wf-count", title, "data-result": name, onclick: () => this.ask({ result: name, page: 1 }) }, h("span", {}, word), number);
    return { name, element, number };
  }

  /** What is known of the operation. @param {Operation} operation */
  show(operation) {
    const sums = tally(operation);
    this.operation = operation;
    /** @type {{[name: string]: number}} */
    const numbers = { "": sums.total, done: sums.done, refused: sums.refused, unknown: sums.unknown, left: sums.left };
    for (const { name, element, number } of this.chips) {
      setText(number, count(numbers[name]));
      element.setAttribute("aria-pressed", String(this.want.result === name));
      element.toggleAttribute("data-empty", numbers[name] === 0);
    }
    const state = `${operation.state} ${sums.left}`;
    if (state === this.shown) return;
    this.shown = state;
    this.soon(hasEnded(operation) || !this.loaded ? 0 : AGAIN_MS);
  }

  /** @param {{result?: string, q?: string, page?: number, size?: number}} want */
  ask(want) {
    this.want = { ...this.want, ...want };
    if (this.operation) this.show(this.operation);
    this.soon(0);
  }

  typed() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.ask({ q: this.search.value.trim(), page: 1 }), TYPED_MS);
  }

  /** Load within a time, unless that is on its way already. @param {number} ms */
  soon(ms) {
    if (this.timer !== null && ms > 0) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), ms);
  }

  async load() {
    this.timer = null;
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    const { result, q, page, size } = this.want;
    const state = result === "left" && this.operation ? leftResult(this.operation) : result;
    const { body, error } = await ask(address(this.id, "/results", { ...(state && { state }), ...(q && { q }), page, size }), { signal: asked.signal });
    if (asked.signal.aborted) return;
    this.fail(error);
    if (error) return;
    this.loaded = true;
    this.body.replaceChildren(...body.results.map(line));
    this.none.hidden = body.total > 0;
    setText(this.none, q ? "Nothing has this text." : "None.");
    this.pager.show(page, size, body.total);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.typing);
    this.asked?.abort();
  }
}

/** @param {any} row */
function line(row) {
  const link = (/** @type {string} */ id) => internal(h("a", { href: `/executions/${encodeURIComponent(id)}`, class: "wf-mono", title: id }, shortId(id)));
  const known = Boolean(row.state);
  return h("tr", { "data-result": row.result },
    h("td", { class: "wf-num wf-muted" }, count(row.position)),
    h("td", {}, known ? link(row.executionId) : h("span", { class: "wf-mono wf-muted", title: row.executionId }, shortId(row.executionId, 24))),
    h("td", {}, known ? [row.namespace, row.flowId].join(".") : "–"),
    h("td", {}, known ? stateBadge(row.state) : "–"),
    h("td", {}, badge(row.result)),
    h("td", { class: "wf-ops-why", title: row.why ?? "" }, row.newId ? h("span", {}, "made ", link(row.newId)) : row.why ?? ""));
}
