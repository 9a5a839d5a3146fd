// The bar over selected rows: how many, and what can be done with them. What it asks for is previewed and confirmed in the dialog.
import { actionConfig, items } from "../actions/menu.js";
import { bulkEntries } from "../actions/model.js";
import { requestMany } from "../actions/request.js";
import { h, setAttr, setText } from "../dom.js";
import { count, plural } from "../format.js";
import { openMenu } from "../execution/popup.js";

/** @typedef {import("./selection.js").Selection} Selection */
/** @typedef {ReturnType<typeof bulkEntries>[number]} Entry */

/** What the bar says of the selection. @param {Selection} selection */
export const chosenWords = ({ all, count: chosen }) =>
  all ? `all ${plural(chosen, "execution")} that match` : `${plural(chosen, "execution")} selected`;

/** The words of the link to more: when a whole page is selected, and more match than that; else null.
 * @param {Selection} selection @param {Matching} matching */
export const widerWords = ({ all, count: chosen }, { page, total }) =>
  all || chosen < page || total <= chosen || !page ? null : `Select all ${count(total)} that match`;

/** @typedef {{filters: string, total: number, page: number}} Matching the wire form of the list's filters, how many match, and how
 *  many of them are on the page */

/** @param {HTMLElement} element empty @param {Selection} selection @param {() => Matching} matching */
export function bulkBar(element, selection, matching) {
  const counter = h("span", { class: "wf-bulk-count" });
  const all = () => bulkEntries(actionConfig(), [...selection.rows.values()]);
  const ask = (/** @type {Entry["info"]} */ info) => requestMany(info.action, selection.chosen);
  const buttons = new Map(all().map(({ info }) => [info.action, bulkButton(info, () => ask(info))]));
  const more = h("button", { type: "button", class: "wf-button wf-bulk-more", "aria-haspopup": "menu", "data-more": "" }, h("i", { class: "wf-icon wf-icon-more" }), "More");
  const open = () => {
    const box = more.getBoundingClientRect();
    openMenu({ x: box.left, y: box.top - 6, above: true }, items(all(), ask), chosenWords(selection));
  };
  more.addEventListener("click", open);
  const widen = () => {
    const { filters, total } = matching();
    selection.selectAll(filters, total);
  };
  const wider = h("button", { type: "button", class: "wf-link-button", "data-wf-all": "", onclick: widen });
  const clear = h("button", { type: "button", class: "wf-link-button", onclick: () => selection.clear() }, "Clear");
  element.replaceChildren(counter, wider, ...buttons.values(), more, clear);
  return {
    open,
    show() {
      element.hidden = selection.count === 0;
      if (element.hidden) return;
      setText(counter, chosenWords(selection));
      const more = widerWords(selection, matching());
      wider.hidden = more === null;
      setText(wider, more ?? "");
      for (const { info, why, able } of all()) {
        const button = /** @type {HTMLElement} */ (buttons.get(info.action));
        setAttr(button, "aria-disabled", why && "true");
        setAttr(button, "title", why ?? (selection.all ? `${info.title} all that match` : `${info.title} ${able} of ${selection.count}`));
      }
    },
    remove: () => element.replaceChildren(),
  };
}

/** @param {Entry["info"]} info @param {() => void} ask */
function bulkButton(info, ask) {
  const classes = ["wf-button", info.danger && "danger", info.quick && "quick"].filter(Boolean).join(" ");
  const press = (/** @type {Event} */ event) =>
    /** @type {Element} */ (event.currentTarget).getAttribute("aria-disabled") !== "true" && ask();
  return h("button", { type: "button", class: classes, "data-wf-action": info.action, onclick: press }, h("i", { class: `wf-icon wf-icon-${info.icon}` }), info.title);
}
