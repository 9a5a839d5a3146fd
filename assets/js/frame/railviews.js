// View `rail-views`: the pinned views in the rail; asked for once all is live where the page could not be told them.
import { h, setAttr } from "../dom.js";
import { internal } from "../execution/links.js";
import { here } from "../executions/place.js";
import { all, onSaved, refresh } from "../executions/saved.js";

const MOVED = "_dashprivate_pushstate";

/** @param {HTMLElement} element @param {{}} _params @param {any} live */
export function railViews(element, _params, live) {
  let known = element.dataset.wfViews !== undefined;
  const ask = (/** @type {import("../live/types.js").Status} */ { phase }) => {
    if (known || phase !== "live") return;
    known = true;
    refresh().catch(() => (known = false));
  };
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
  const stops = [onSaved(draw), live.onStatus(ask)];
  window.addEventListener(MOVED, mark);
  window.addEventListener("popstate", mark);
  draw();
  return {
    unmount() {
      for (const stop of stops) stop();
      window.removeEventListener(MOVED, mark);
      window.removeEventListener("popstate", mark);
    },
  };
}
