// What came of an execution: its replays, and the executions that its tasks and Flow triggers started; live, the newest first.
import { h, onFrame, setText } from "../dom.js";
import { brief, count, duration, exact, shortId, ticking, toMs } from "../format.js";
import { ListStore } from "../live/store.js";
import { setBadge, stateBadge } from "../states.js";
import { elapsed } from "./fold.js";
import { internal } from "./links.js";

/** @typedef {import("./fold.js").Row} Row */

const SHOWN = 20; // of each kind

/** Filters that find them, in the wire form: what it started, and what repeats it. @param {string} id */
export function wishes(id) {
  const [parent, trigger, original] = ["parentId", "triggerExecutionId", "originalId"].map((field) => `[${field}][EQUALS]=${encodeURIComponent(id)}`);
  return [`filters[or][0]${parent}&filters[or][1]${trigger}`, `filters${original}`];
}

/** What a row is to the execution `id`. A replay of its subflow is a subflow of it too. @param {Row} row @param {string} id */
export function kindOf(row, id) {
  if (row.original_id === id || (row.parent_id === id && row.triggered_by !== id)) return "replay";
  return row.trigger_type?.endsWith(".Subflow") ? "subflow" : "triggered";
}

/** Those of several lists, each once, the newest first, without the execution itself. @param {Iterable<Row>[]} lists @param {string} id @returns {Row[]} */
export function related(lists, id) {
  const all = new Map(lists.flatMap((rows) => [...rows]).map((row) => [row.id, row]));
  all.delete(id);
  return [...all.values()].sort((a, b) => toMs(b.start_date) - toMs(a.start_date) || (a.id < b.id ? 1 : -1));
}

/** @param {Row} row @param {string} id @param {number} now */
function line(row, id, now) {
  const parts = { badge: stateBadge(row.state), long: h("td", { class: "number" }) };
  const link = internal(h("a", { href: `/executions/${encodeURIComponent(row.id)}`, title: row.id }, `${row.flow_id} ${shortId(row.id)}`));
  const start = toMs(row.start_date);
  return { ...parts, element: h("tr", {}, h("td", {}, parts.badge), h("td", {}, kindOf(row, id)), h("td", {}, link), h("td", { title: exact(start) }, brief(start, now)), parts.long) };
}

/** @param {any} live @returns {{element: HTMLElement, follow: (id: string) => void, tick: (now: number) => void, close: () => void}} */
export function relations(live) {
  const body = h("tbody");
  const more = internal(h("a", { class: "wfx-link", hidden: true }));
  const element = h("section", { class: "wfx-panel relations", hidden: true }, h("h2", {}, "What came of it"), h("table", { class: "wfx-table" }, body), more);
  /** @type {Map<string, ReturnType<typeof line>>} */
  const lines = new Map();
  /** @type {ListStore[]} */
  let stores = [];
  /** @type {{close: () => void}[]} */
  let subscriptions = [];
  let shown = "";
  const rows = () => related(stores.map((store) => store.ids.map((id) => /** @type {Row} */ (store.rows.get(id))).filter(Boolean)), shown);
  const tick = (/** @type {number} */ now) => {
    for (const row of rows()) {
      const one = lines.get(row.id);
      if (one) setText(one.long, row.end_date ? duration(elapsed(row, now)) : ticking(elapsed(row, now)));
    }
  };
  const frame = onFrame(() => {
    const known = rows();
    for (const id of lines.keys()) if (!known.some((row) => row.id === id)) lines.delete(id);
    for (const row of known) {
      if (!lines.has(row.id)) lines.set(row.id, line(row, shown, live.confirmedNow()));
      setBadge(/** @type {any} */ (lines.get(row.id)).badge, row.state);
    }
    const wanted = known.map((row) => /** @type {any} */ (lines.get(row.id)).element);
    if (wanted.length !== body.children.length || wanted.some((one, index) => body.children[index] !== one)) body.replaceChildren(...wanted);
    element.hidden = known.length === 0;
    const [children] = stores;
    more.hidden = !children || children.total <= SHOWN;
    setText(more, `all ${count(children?.total ?? 0)} that it started`);
    tick(live.confirmedNow());
  });
  const close = () => {
    for (const subscription of subscriptions) subscription.close();
    frame.cancel();
  };
  return {
    element,
    tick,
    close,
    follow(id) {
      close();
      shown = id;
      stores = [];
      more.href = `/executions?${wishes(id)[0]}`;
      subscriptions = wishes(id).map((filters) => {
        const store = new ListStore();
        stores.push(store);
        return live.subscribe("executions", { filters, size: SHOWN }, {
          snapshot: (/** @type {any} */ snapshot) => (store.replace(snapshot), frame.ask()),
          items: (/** @type {any[]} */ items) => (store.fold(items), frame.ask()),
        });
      });
    },
  };
}
