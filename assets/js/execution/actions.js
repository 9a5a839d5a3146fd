// The buttons that act on an execution: allowed or greyed with the reason, from the server's table of actions.
import { h, pageConfig, setProps } from "../dom.js";

/** @typedef {{action: string, title: string, allowed: string[], danger?: boolean}} ActionInfo */

/** Why an action can't be done in a state; null when it can. The same words as the server's refusal.
 * @param {ActionInfo} info @param {string | undefined} state */
export function refusal(info, state) {
  if (!state) return "The execution is not loaded yet.";
  if (info.allowed.includes(state)) return null;
  return `${info.title} works in ${info.allowed.join(", ")}; the execution is ${state} now.`;
}

/** Ask the server for an action. @param {string} action @param {string[]} ids */
export function request(action, ids) {
  setProps("action-request", { data: { action, ids, at: Date.now() } });
}

/**
 * The row of buttons. @param {() => string} id the execution's
 * @returns {{element: HTMLElement, show: (state: string | undefined, gone: boolean) => void}}
 */
export function actionButtons(id) {
  /** @type {{user?: string, role?: string, actions?: ActionInfo[]}} */
  const config = pageConfig();
  const buttons = (config.actions ?? []).map((info) => ({ info, button: actionButton(info, id) }));
  const element = h("div", { class: "wfx-actions" }, ...buttons.map(({ button }) => button));
  const viewer = config.role === "viewer" ? "Your role, viewer, may look only." : null;
  return {
    element,
    show(state, gone) {
      for (const { info, button } of buttons) {
        const reason = viewer ?? (gone ? "Retention removed the execution." : refusal(info, state));
        button.setAttribute("aria-disabled", String(reason !== null));
        button.title = reason ?? `${info.title} this execution`;
      }
    },
  };
}

/** @param {ActionInfo} info @param {() => string} id */
function actionButton(info, id) {
  const press = (/** @type {Event} */ event) => {
    const disabled = /** @type {Element} */ (event.currentTarget).getAttribute("aria-disabled") === "true";
    if (!disabled) request(info.action, [id()]);
  };
  const classes = info.danger ? "wfx-button danger" : "wfx-button";
  return h("button", { type: "button", class: classes, "data-action": info.action, "aria-disabled": "true", onclick: press }, info.title);
}
