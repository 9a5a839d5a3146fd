// The header's button that opens the flow's form with the inputs of this execution.
import { actionConfig } from "../actions/menu.js";
import { forbidden } from "../actions/model.js";
import { h, setAttr, setProps } from "../dom.js";

/** @typedef {import("./fold.js").Row} Row */

/** @returns {{element: HTMLElement, show: (row: Row | null) => void}} */
export function executeAgain() {
  /** @type {Row | null} */
  let seen = null;
  const config = /** @type {any} */ (actionConfig());
  const why = () => (seen && config.execute ? forbidden(config.execute, config, seen.namespace) : "The execution is not loaded yet.");
  const press = () => {
    if (seen && why() === null) setProps("execute-again", { data: { flow: `${seen.namespace}/${seen.flow_id}`, execution: seen.id, at: Date.now() } });
  };
  const element = h("button", { type: "button", class: "wfx-button", "data-execute-again": "", onclick: press },
    h("i", { class: "wf-icon wf-icon-bolt", "aria-hidden": "true" }), "Execute again");
  return {
    element,
    show(row) {
      seen = row;
      setAttr(element, "aria-disabled", why() && "true");
      element.title = why() ?? "Start the newest revision of this flow, with these inputs to begin with";
    },
  };
}
