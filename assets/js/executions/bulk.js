// The bar over selected rows: how many, and what can be done with them.
import { refusal, request } from "../execution/actions.js";
import { pageConfig, setAttr, setText } from "../dom.js";
import { plural } from "../format.js";

/** @typedef {import("../live/types.js").Row} Row */

/**
 * Whether an action can be done to some of the rows, and why not to the others.
 * @param {import("../execution/actions.js").ActionInfo} info @param {Row[]} rows
 * @returns {{possible: string[], why: string | null}}
 */
export function possible(info, rows) {
  const able = rows.filter((row) => refusal(info, row.state) === null);
  const refused = rows.find((row) => refusal(info, row.state) !== null);
  return { possible: able.map((row) => row.id), why: refused ? refusal(info, refused.state) : null };
}

/** @param {HTMLElement} element @param {HTMLElement | null} counter @param {() => Row[]} selected @param {() => void} clear */
export function bulkBar(element, counter, selected, clear) {
  const { actions = [], role } = pageConfig();
  const infoOf = (/** @type {Element} */ button) =>
    actions.find((/** @type {any} */ { action }) => action === /** @type {HTMLElement} */ (button).dataset.wfAction);
  const press = (/** @type {MouseEvent} */ event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("[data-wf-clear]")) return clear();
    const button = target.closest("[data-wf-action]");
    const info = button && infoOf(button);
    if (!button || !info || button.getAttribute("aria-disabled") === "true") return undefined;
    return request(info.action, possible(info, selected()).possible);
  };
  element.addEventListener("click", press);
  return {
    show() {
      const rows = selected();
      element.hidden = rows.length === 0;
      if (!rows.length) return;
      if (counter) setText(counter, `${plural(rows.length, "row")} selected`);
      for (const button of element.querySelectorAll("[data-wf-action]")) {
        const info = infoOf(button);
        const { possible: able, why } = possible(info, rows);
        const reason = role === "viewer" ? "Your role, viewer, may look only." : able.length ? null : why;
        setAttr(button, "aria-disabled", String(reason !== null));
        setAttr(button, "title", reason ?? `${info.title} ${able.length} of ${rows.length}`);
      }
    },
    remove: () => element.removeEventListener("click", press),
  };
}
