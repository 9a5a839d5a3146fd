// View `operation`: one bulk operation: how far it is, what became of each execution, stop and retry. Params: {id}.
import { h, onFrame, setText } from "../dom.js";
import { onTick } from "../execution/clock.js";
import { go, internal } from "../execution/links.js";
import { count, duration, exact, plural, shortId, ticking, toMs } from "../format.js";
import { detailText, elapsed, failed, hasEnded, rate, remaining, selectionText, tally } from "./model.js";
import { address, ask, badge, bar, icon, looks, showBadge } from "./parts.js";
import { Results } from "./results.js";

/** @typedef {import("./model.js").Operation} Operation */

class Detail {
  /** @param {HTMLElement} element @param {string} id @param {any} live */
  constructor(element, id, live) {
    this.id = id;
    this.live = live;
    /** @type {Operation | null} */
    this.operation = null;
    this.title = h("h1", {}, "Operation");
    this.badge = badge("PREPARING");
    this.badge.classList.add("large");
    this.bar = bar();
    this.words = h("span", { class: "wf-ops-words wf-num" });
    this.facts = h("dl", { class: "wf-ops-facts" });
    this.error = h("div", { class: "wf-form-error", role: "alert" });
    this.buttons = {
      stop: this.button("kill", "Stop", "No more of it is done; what the executor was told of already still is", () => this.send("/stop")),
      retry: this.button("restart", "Retry failed", "Another operation over what was refused or left out", () => this.send("/retry")),
    };
    this.csv = h("a", { class: "wf-button", href: address(id, "/results/csv"), download: `operation-${id}.csv` }, icon("download"), "CSV");
    this.results = new Results(id, (error) => setText(this.error, error));
    this.head = h("header", { class: "wf-ops-head" },
      h("div", { class: "wf-ops-title" }, internal(h("a", { href: "/operations", class: "wf-muted" }, "Operations")), h("span", { class: "wf-faint" }, "/"), this.title, this.badge,
        h("span", { class: "wf-spring" }), this.buttons.stop, this.buttons.retry, this.csv),
      h("div", { class: "wf-ops-big" }, this.bar.element, this.words), this.facts, this.error);
    this.missing = h("div", { class: "wf-empty", hidden: true }, icon("operations"), h("h2", {}, "No such operation"),
      h("p", {}, "It may have been so long ago that it is forgotten."), internal(h("a", { class: "wf-button", href: "/operations" }, "All operations")));
    element.replaceChildren(this.head, this.results.element, this.missing);
    this.frame = onFrame(() => this.paint());
    this.stop = onTick(live, () => this.frame.ask(), 500);
    this.subscription = live.subscribe("operation", { id }, {
      snapshot: (/** @type {any} */ { operations }) => this.took(operations[0] ?? null),
      items: (/** @type {any[]} */ items) => {
        for (const item of items) if (item.t === "operation") this.took(item.operation);
      },
      refused: (/** @type {string} */ error) => setText(this.error, error),
    });
  }

  /** @param {string} name @param {string} word @param {string} title @param {() => void} press */
  button(name, word, title, press) {
    return h("button", { type: "button", class: name === "kill" ? "wf-button danger" : "wf-button", title, hidden: true, onclick: press }, icon(name), word);
  }

  /** @param {Operation | null} operation */
  took(operation) {
    const first = this.operation === null;
    this.operation = operation;
    this.head.hidden = this.results.element.hidden = operation === null;
    this.missing.hidden = operation !== null;
    if (operation && first) this.describe(operation);
    this.frame.ask();
  }

  /** What doesn't change. @param {Operation} operation */
  describe(operation) {
    const { title } = looks(operation.action);
    setText(this.title, `${title} ${plural(operation.total, "execution")}`);
    const created = toMs(operation.created_at);
    /** @type {[string, Node | string][]} */
    const facts = [["Chosen", selectionText(operation)]];
    if (detailText(operation)) facts.push(["Details", detailText(operation)]);
    if (operation.reason) facts.push(["Reason", operation.reason]);
    facts.push(["By", `${operation.actor}${operation.origin === "ui" ? "" : `, by ${operation.origin}`}`], ["At", exact(created)]);
    if (operation.retry_of) facts.push(["Retry of", internal(h("a", { href: `/operations/${encodeURIComponent(operation.retry_of)}`, class: "wf-mono" }, shortId(operation.retry_of)))]);
    this.took_ = h("dd", { class: "wf-num" });
    this.facts.replaceChildren(...facts.flatMap(([name, value]) => [h("dt", {}, name), h("dd", { title: typeof value === "string" ? value : null }, value)]), h("dt", {}, "Took"), this.took_);
  }

  paint() {
    const { operation } = this;
    if (!operation) return;
    const now = this.live.confirmedNow();
    const sums = tally(operation);
    showBadge(this.badge, operation.state);
    this.bar.show(operation);
    const ended = hasEnded(operation);
    const parts = [`${count(sums.total - sums.left)} of ${count(sums.total)}`, ended ? "" : remaining(operation, now), rate(operation, now)];
    setText(this.words, parts.filter(Boolean).join(" · "));
    if (this.took_) setText(this.took_, ended ? duration(elapsed(operation, now)) : ticking(elapsed(operation, now)));
    this.buttons.stop.hidden = !["PREPARING", "RUNNING"].includes(operation.state);
    this.buttons.retry.hidden = failed(operation) === 0;
    this.results.show(operation);
  }

  /** @param {string} what */
  async send(what) {
    const buttons = Object.values(this.buttons);
    for (const button of buttons) button.disabled = true;
    const { body, error } = await ask(address(this.id, what), { method: "POST" });
    for (const button of buttons) button.disabled = false;
    setText(this.error, error);
    if (!error && body.operationId) go(`/operations/${encodeURIComponent(body.operationId)}`);
  }

  unmount() {
    this.stop();
    this.subscription.close();
    this.results.close();
    this.frame.cancel();
  }
}

/** @param {HTMLElement} element @param {{id: string}} params @param {any} live */
export function operationView(element, params, live) {
  let view = new Detail(element, params.id, live);
  return {
    update(/** @type {{id: string}} */ next) {
      if (next.id === view.id) return;
      view.unmount();
      view = new Detail(element, next.id, live);
    },
    unmount: () => view.unmount(),
  };
}
