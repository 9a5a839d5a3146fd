// Facts of an execution: what lists show of it, and what links to others.
import { copyText, h, setText } from "../dom.js";
import { againstUsual, duration, exact, moment, shortId, ticking, toMs } from "../format.js";
import { elapsed } from "./fold.js";

/** @typedef {import("./fold.js").Row} Row */

/** @type {[string, (row: Row, usual: any, now: number) => {text: string, title?: string, href?: string, copy?: string} | null][]} */
const FACTS = [
  ["Duration", (row, _, now) => ({ text: row.end_date ? duration(elapsed(row, now)) : ticking(elapsed(row, now)) })],
  ["Usual", (row, usual, now) => (usual?.p95 ? { text: againstUsual(elapsed(row, now), usual).text.replace("usually ", "") } : null)],
  ["Begins", (row, _, now) => (row.schedule_date ? when(row.schedule_date, now) : null)],
  ["Started", (row, _, now) => when(row.start_date, now)],
  ["Ended", (row, _, now) => (row.end_date ? when(row.end_date, now) : { text: "–" })],
  ["Namespace", (row) => ({ text: row.namespace, href: `/executions?filters[namespace][IN]=${encodeURIComponent(row.namespace)}` })],
  ["Flow", (row) => ({ text: `${row.flow_id}, revision ${row.revision}`, href: `/flows/${row.namespace}/${row.flow_id}` })],
  ["Trigger", (row) => ({ text: row.trigger_id ?? "by hand", title: row.trigger_type, href: triggers(row) })],
  ["Id", (row) => ({ text: shortId(row.id, 18), title: `${row.id}\nclick to copy`, copy: row.id })],
  ["Parent", (row) => execution(row.parent_id)],
  ["Triggered by", (row) => (row.triggered_by === row.parent_id ? null : execution(row.triggered_by))],
  ["Original", (row) => (row.original_id === row.id ? null : execution(row.original_id))],
  ["Attempt", (row) => ((row.attempt_number ?? 1) > 1 ? { text: String(row.attempt_number) } : null)],
  ["Kind", (row) => (row.kind && row.kind !== "NORMAL" ? { text: row.kind.toLowerCase() } : null)],
  ["Last task", (row) => (row.last_task ? { text: row.last_task } : null)],
];

/** @param {string} date @param {number} now */
const when = (date, now) => ({ text: moment(toMs(date), now), title: exact(toMs(date)) });

/** Where what is known of its trigger stands. @param {Row} row */
const triggers = (row) => (row.trigger_type?.includes(".trigger.") ? `/flows/${row.namespace}/${row.flow_id}/triggers` : undefined);

/** @param {string | undefined} id */
const execution = (id) => (id ? { text: shortId(id), title: id, href: `/executions/${encodeURIComponent(id)}` } : null);

/** @param {{text: string, title?: string, href?: string, copy?: string}} fact */
function valueElement({ href, copy, title }) {
  if (href) return h("a", { href, title });
  if (!copy) return h("span", { title });
  const button = h("button", { type: "button", class: "wfx-id", title });
  button.addEventListener("click", () => copyText(copy, button));
  return button;
}

/** @returns {{element: HTMLElement, show: (row: Row, usual: any, now: number) => void}} */
export function facts() {
  const element = h("dl", { class: "wfx-fact-list" });
  /** @type {Map<string, {key: string, value: HTMLElement}>} */
  const shown = new Map();
  let order = "";
  return {
    element,
    show(row, usual, now) {
      const present = FACTS.map(([name, read]) => ({ name, fact: read(row, usual, now) })).filter(({ fact }) => fact);
      const key = present.map(({ name, fact }) => `${name}:${fact?.href ?? ""}:${fact?.title ?? ""}`).join("|");
      if (key !== order) {
        order = key;
        for (const { name, fact } of present) shown.set(name, { key: name, value: valueElement(/** @type {any} */ (fact)) });
        const value = (/** @type {string} */ name) => /** @type {any} */ (shown.get(name)).value;
        element.replaceChildren(...present.flatMap(({ name }) => [h("dt", {}, name), h("dd", {}, value(name))]));
      }
      for (const { name, fact } of present) setText(/** @type {any} */ (shown.get(name)).value, /** @type {any} */ (fact).text);
    },
  };
}
