// View `again`: something could not be shown, and the page is asked for once more by itself when it may be.
// Params: {filters: which execution must be there first, in the wire form; empty: none}.
import { setProps } from "../dom.js";
import { ListStore } from "../live/store.js";

const FIRST_MS = 1_000;
const MOST_MS = 16_000; // while all behind the page is live, and it can't be shown all the same

/** @param {any} live @param {string} filters @param {(matches: boolean) => void} tell @returns {() => void} stops */
function follow(live, filters, tell) {
  const store = new ListStore();
  const show = () => tell(store.total > 0);
  const subscription = live.subscribe("executions", { filters, size: 1 }, {
    snapshot: (/** @type {any} */ snapshot) => (store.replace(snapshot), show()),
    items: (/** @type {any[]} */ items) => (store.fold(items), show()),
  });
  return () => subscription.close();
}

/** @param {HTMLElement} _element @param {{filters: string}} params @param {any} live */
export function again(_element, { filters }, live) {
  let there = !filters;
  let wait = FIRST_MS;
  let asked = live.confirmedNow();
  const unfollow = filters ? follow(live, filters, (matches) => (there = matches)) : () => {};
  // The confirmed moment stands while something is away, and jumps when it is back.
  const unlook = live.onStatus((/** @type {import("../live/types.js").Status} */ { phase }) => {
    const now = live.confirmedNow();
    if (!there || phase !== "live" || now - asked < wait) return;
    asked = now;
    wait = Math.min(2 * wait, MOST_MS);
    setProps("page-again", { data: now });
  });
  return {
    unmount() {
      unfollow();
      unlook();
    },
  };
}
