// View `execution-header`: who this execution is, how it stands, what can be done.
// Params: {id, namespace?, flow_id?, usual?: {p50, p95} in seconds, neighbours?: {previous?, next?} ids,
// from?: the list that they are neighbours in, as its query string, tz?}. The element is empty.
import { actionButtons } from "../actions/buttons.js";
import { listenToActionKeys } from "../actions/keys.js";
import { copyText, h, setAttr, setStyle, setText } from "../dom.js";
import { ago, againstUsual, clock, duration, exact, moment, shortId, ticking, toMs } from "../format.js";
import { showWorst } from "../frame/title.js";
import { isTerminal, setBadge, stateBadge } from "../states.js";
import { executeAgain } from "./again.js";
import { markConfirmed, onTick } from "./clock.js";
import { elapsed } from "./fold.js";
import { internal } from "./links.js";
import { watch } from "./store.js";

/** @typedef {{id: string, namespace?: string, flow_id?: string, usual?: {p50: number, p95: number} | null,
 *   neighbours?: {previous?: string | null, next?: string | null}, from?: string}} Params */
/** @typedef {import("./fold.js").Row} Row */

/** @param {() => Params} params */
function build(params) {
  const badge = stateBadge("CREATED");
  badge.classList.add("large", "loading");
  const idButton = h("button", { type: "button", class: "wfx-id" });
  idButton.addEventListener("click", () => copyText(params().id, idButton));
  const parts = {
    badge,
    idButton,
    flow: h("a", { class: "wfx-flow" }),
    namespace: h("span", { class: "wfx-namespace" }),
    previous: internal(h("a", { class: "wfx-step" }, "‹")),
    next: internal(h("a", { class: "wfx-step" }, "›")),
    time: h("span", { class: "wfx-time" }),
    meter: h("span", { class: "wfx-meter", "aria-hidden": "true" }, h("i", { class: "fill" }), h("i", { class: "p50" }), h("i", { class: "p95" })),
    usual: h("span", { class: "wfx-usual" }),
    facts: h("span", { class: "wfx-facts" }),
    labels: h("span", { class: "wfx-labels" }),
  };
  const actions = actionButtons(() => params().id);
  const again = executeAgain();
  actions.element.prepend(again.element);
  const top = h(
    "div",
    { class: "wfx-top" },
    badge,
    h("h1", { class: "wfx-title" }, parts.namespace, parts.flow),
    idButton,
    h("span", { class: "wfx-steps" }, parts.previous, parts.next),
    actions.element,
  );
  const below = h("div", { class: "wfx-below" }, parts.time, parts.meter, parts.usual, parts.facts, parts.labels);
  return { ...parts, actions, again, root: h("div", { class: "wfx-header" }, top, below) };
}

/** @typedef {ReturnType<typeof build>} Parts */

/** @param {HTMLAnchorElement} link @param {string | null | undefined} id @param {string | undefined} from @param {"Previous" | "Next"} word */
function showStep(link, id, from, word) {
  setAttr(link, "href", id ? `/executions/${encodeURIComponent(id)}${from ? `?from=${encodeURIComponent(from)}` : ""}` : null);
  setAttr(link, "aria-disabled", id ? null : "true");
  const what = `${word} ${from ? "in the list" : "execution of this flow"} (${word === "Next" ? "j" : "k"})`;
  setAttr(link, "aria-label", what);
  link.title = id ? `${what}: ${shortId(id)}` : `${what}: none`;
}

/** j and k step as in the list. @param {Parts} parts @returns {() => void} stops */
function listenToSteps(parts) {
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const target = /** @type {Element | null} */ (event.target);
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("[role=dialog]")) return;
    if (target?.closest?.("input, textarea, select, [contenteditable=true]")) return;
    const link = { j: parts.next, k: parts.previous }[event.key];
    if (!link?.href) return;
    event.preventDefault();
    link.click();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}

/** @param {Parts} parts @param {Params} params @param {Row | null} row */
function showWho(parts, params, row) {
  const [namespace, flow] = [row?.namespace ?? params.namespace ?? "", row?.flow_id ?? params.flow_id ?? ""];
  setText(parts.namespace, namespace ? `${namespace} / ` : "");
  setText(parts.flow, flow);
  if (flow) setAttr(parts.flow, "href", `/flows/${encodeURIComponent(namespace)}/${encodeURIComponent(flow)}`);
  setText(parts.idButton, shortId(params.id));
  parts.idButton.title = `${params.id}\nclick to copy`;
  showStep(parts.previous, params.neighbours?.previous, params.from, "Previous");
  showStep(parts.next, params.neighbours?.next, params.from, "Next");
}

const GONE = "removed: this is the last that was known of it";

/** @param {Parts} parts @param {Row | null} row @param {number} now @param {boolean} gone */
function showState(parts, row, now, gone) {
  parts.actions.show({ state: row?.state, namespace: row?.namespace, gone });
  parts.again.show(row);
  if (!row) return;
  parts.badge.classList.remove("loading");
  setBadge(parts.badge, row.state);
  showLabels(parts.labels, row.labels ?? {});
  const start = toMs(row.start_date);
  setText(parts.facts, [gone ? GONE : "", began(row, start, now), `revision ${row.revision}`, trigger(row), again(row)].filter(Boolean).join(" · "));
  parts.facts.title = `${exact(start)} (${ago(start, now)})${row.end_date ? `\nended ${clock(toMs(row.end_date), true)}` : ""}`;
}

/** @param {Row} row @param {number} start @param {number} now */
const began = (row, start, now) => (row.schedule_date ? `scheduled for ${moment(toMs(row.schedule_date), now)}` : `started ${moment(start, now)}`);
/** @param {Row} row */
const trigger = (row) => (row.trigger_id ? `by ${row.trigger_id}` : row.trigger_type ? `by ${row.trigger_type}` : "");
/** @param {Row} row */
const again = (row) => ((row.attempt_number ?? 1) > 1 ? `attempt ${row.attempt_number}` : "");

/** @param {HTMLElement} element @param {{[key: string]: string}} labels */
function showLabels(element, labels) {
  const text = JSON.stringify(labels);
  if (element.dataset.shown === text) return;
  element.dataset.shown = text;
  const chip = (/** @type {[string, string]} */ [key, value]) =>
    h("a", { class: key.startsWith("system.") ? "wfx-label system" : "wfx-label", href: labelUrl(key, value) }, h("b", {}, key), value);
  element.replaceChildren(...Object.entries(labels).map(chip));
}

/** @param {string} key @param {string} value */
const labelUrl = (key, value) => `/executions?filters[labels][EQUALS][${encodeURIComponent(key)}]=${encodeURIComponent(value)}`;

/** @param {Parts} parts @param {Params} params @param {Row | null} row @param {number} now */
function showTime(parts, params, row, now) {
  const ms = elapsed(row, now);
  const done = Boolean(row?.end_date);
  setText(parts.time, done ? duration(ms) : ticking(ms));
  const { verdict, text } = againstUsual(ms, params.usual);
  parts.root.dataset.pace = row && (done || verdict !== "usual") ? verdict : "usual";
  parts.root.dataset.running = String(Boolean(row) && !done);
  setText(parts.usual, text);
  setAttr(parts.meter, "hidden", params.usual?.p95 ? null : "");
  if (!params.usual?.p95) return;
  const full = Math.max(params.usual.p95 * 1250, ms || 0);
  const share = (/** @type {number} */ value) => Math.min(1, value / full).toFixed(4);
  setStyle(parts.meter, { "--fill": share(ms || 0), "--p50": share(params.usual.p50 * 1000), "--p95": share(params.usual.p95 * 1000) });
  if (row) parts.meter.dataset.token = parts.badge.dataset.token ?? "";
}

/** @param {HTMLElement} element @param {Params} first @param {any} live */
export function executionHeader(element, first, live) {
  let params = first;
  const parts = build(() => params);
  element.replaceChildren(parts.root);
  /** @type {Row | null} */
  let row = null;
  let gone = false;
  const show = () => {
    const now = live.confirmedNow();
    showWho(parts, params, row);
    showState(parts, row, now, gone);
    showTime(parts, params, row, now);
    showWorst(parts, row ? { [row.state]: 1 } : null);
  };
  const listen = () =>
    watch(live, params.id, {
      changed(_, model) {
        row = model.row;
        gone = model.gone;
        show();
      },
    });
  let watching = listen();
  show();
  const looked = () => ({ id: params.id, seen: { state: row?.state, namespace: row?.namespace, gone } });
  const stops = [
    listenToActionKeys(looked, () => parts.actions.open()),
    onTick(live, (now) => row && !isTerminal(row.state) && showTime(parts, params, row, now)),
    markConfirmed(live, parts.root),
    listenToSteps(parts),
  ];
  return {
    /** @param {Params} next */
    update(next) {
      const other = next.id !== params.id;
      params = next;
      if (!other) return show();
      row = null;
      gone = false;
      parts.actions.close();
      watching.close();
      watching = listen();
      return show();
    },
    unmount() {
      for (const stop of stops) stop();
      parts.actions.close();
      watching.close();
      showWorst(parts, null);
      parts.root.remove();
    },
  };
}
