// The chip that follows when a whole page is selected: take all that match instead.
import { h, setText } from "../dom.js";
import { plural } from "../format.js";

/** @param {import("./selection.js").Selection} selection @param {HTMLElement} place where the chip is put
 * @param {() => {ids: string[], filters: string, total: number}} list what is in sight, and of what it is a part */
export function selectAll(selection, place, list) {
  const button = h("button", { type: "button", class: "wf-select-all", hidden: true, onclick: () => all() });
  place.append(button);
  const all = () => selection.selectAll(list().filters, list().total);
  return {
    all,
    show() {
      const { ids, total } = list();
      const whole = ids.length > 0 && !selection.all && ids.every((id) => selection.has(id));
      button.hidden = !whole || total <= ids.length;
      if (!button.hidden) setText(button, `Select all ${plural(total, "execution")} that match (a)`);
    },
    remove: () => button.remove(),
  };
}
