// The buttons of an execution's header: what one usually needs in its state, and "More" with everything there is.
import { h } from "../dom.js";
import { actionConfig, executionItems, menuBelow } from "./menu.js";
import { primary, whyNot } from "./model.js";
import { request } from "./request.js";

/** @typedef {import("./model.js").Seen} Seen */

/**
 * @param {() => string} id the execution's
 * @returns {{element: HTMLElement, show: (seen: Seen) => void, open: () => void, close: () => void}}
 */
export function actionButtons(id) {
  /** @type {Seen} */
  let seen = {};
  let shown = "";
  /** @type {import("../execution/popup.js").Menu | null} */
  let menu = null;
  const open = () => void (menu = menuBelow(more, executionItems(id(), seen), "Actions"));
  const attributes = { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", "data-more": "", onclick: open };
  const more = h("button", { ...attributes, class: "wfx-button", title: "All actions (.)" }, "More", h("i", { class: "wf-icon wf-icon-chevron-down" }));
  const buttons = h("span", { class: "wfx-primary" });
  const element = h("div", { class: "wfx-actions" }, buttons, more);
  return {
    element,
    show(now) {
      const key = `${now.state} ${now.gone} ${now.namespace}`;
      if (key === shown) return;
      shown = key;
      seen = now;
      const focused = /** @type {HTMLElement | null} */ (buttons.querySelector(":focus"))?.dataset.action;
      buttons.replaceChildren(...primary(actionConfig(), now.state).map((info) => actionButton(info, seen, id)));
      if (focused) (/** @type {HTMLElement | null} */ (buttons.querySelector(`[data-action="${focused}"]`)) ?? more).focus();
      if (more.getAttribute("aria-expanded") === "true") menu?.show(executionItems(id(), seen));
    },
    open,
    close: () => menu?.close(),
  };
}

/** @param {import("./model.js").ActionInfo} info @param {Seen} seen @param {() => string} id */
function actionButton(info, seen, id) {
  const why = whyNot(info, seen, actionConfig());
  const press = () => why === null && request(info.action, id());
  return h(
    "button",
    {
      type: "button",
      class: info.danger ? "wfx-button danger" : "wfx-button",
      "data-action": info.action,
      "aria-disabled": why && "true",
      title: why ?? `${info.title} this execution${info.key ? ` (${info.key})` : ""}`,
      onclick: press,
    },
    h("i", { class: `wf-icon wf-icon-${info.icon}`, "aria-hidden": "true" }),
    info.title,
  );
}
