// View `rail-views`: the pinned views in the rail.
import { h, setAttr } from "../dom.js";
import { internal } from "../execution/links.js";
import { here } from "../executions/place.js";
import { all, onSaved } from "../executions/saved.js";

const MOVED = "_dashprivate_pushstate";

/** @param {HTMLElement} element */
export function railViews(element) {
  const mark = () => {
    const now = location.pathname === "/executions" ? here().view : "";
    for (const link of element.querySelectorAll("a")) setAttr(link, "aria-current", link.dataset.view === now ? "page" : null);
  };
  const draw = () => {
    const pinned = all().filter((view) => view.pinned);
    element.replaceChildren(...pinned.map(({ id, name }) => internal(
      h("a", { class: "wf-rail-view", href: `/executions?view=${encodeURIComponent(id)}`, "data-view": id, title: name }, h("span", {}, name)),
    )));
    mark();
  };
  const stop = onSaved(draw);
  window.addEventListener(MOVED, mark);
  window.addEventListener("popstate", mark);
  draw();
  return {
    unmount() {
      stop();
      window.removeEventListener(MOVED, mark);
      window.removeEventListener("popstate", mark);
    },
  };
}
