// Flows and schedules have no live topic: while a page shows a next run, the state of flows is asked for once a shown time
// has passed, and every few seconds while the list of flows or one of them is shown. Nothing is asked for by a hidden tab.
(() => {
  const EVERY_MS = 5_000;
  const CARDS_MS = 2_000; // triggers: a backfill goes on meanwhile
  const AFTER_MS = 1_500; // a schedule that fires has its next date a moment later
  let askedAt = 0;
  let asking = false;

  const shown = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-wf-next]")]);
  const passed = (/** @type {HTMLElement} */ element) => {
    const at = element.querySelector("time")?.dateTime;
    return Boolean(at) && Date.parse(/** @type {string} */ (at)) + AFTER_MS < Date.now();
  };

  /** @param {HTMLElement} element @param {string | undefined} at */
  function showNext(element, at) {
    const time = element.querySelector("time");
    if (!time || !at || Date.parse(time.dateTime) === Date.parse(at)) return;
    time.dateTime = at;
    time.dataset.wfTime = at;
    /** @type {any} */ (window).wfTimes?.show(element);
  }

  /** @param {string} stamp */
  function showStamp(stamp) {
    const head = document.querySelector("[data-wf-stamp]");
    if (!head || head.getAttribute("data-wf-stamp") === stamp) return;
    /** @type {any} */ (window).dash_clientside.set_props("flows-stamp", { data: stamp });
  }

  const flow = () => document.querySelector("[data-wf-flow]");

  /** A flow that comes or goes changes the whole page. @param {string | null} stamp */
  function showFlow(stamp) {
    const before = flow()?.getAttribute("data-wf-flow-stamp") ?? null;
    if (before === null || stamp === null || before === stamp) return;
    /** @type {any} */ (window).dash_clientside.set_props(before && stamp ? "flow-stamp" : "page-again", { data: Date.now() });
  }

  const cards = () => document.querySelector("[data-wf-triggers]");

  /** @param {string | null} stamp */
  function showTriggers(stamp) {
    const shown = cards();
    if (!shown || !stamp || shown.getAttribute("data-wf-triggers-stamp") === stamp) return;
    /** @type {any} */ (window).dash_clientside.set_props("triggers-stamp", { data: stamp });
  }

  async function ask() {
    asking = true;
    askedAt = Date.now();
    try {
      const query = new URLSearchParams();
      for (const [name, element] of /** @type {[string, Element | null][]} */ ([["flow", flow()], ["triggers", cards()]])) {
        const of = element?.getAttribute(`data-wf-${name}`);
        if (of) query.set(name, of);
      }
      const answer = await fetch(`/flow-state?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok || !answer.headers.get("Content-Type")?.includes("json")) return;
      const state = await answer.json();
      for (const element of shown()) showNext(element, state.next[element.dataset.wfNext ?? ""]);
      showStamp(state.stamp);
      showFlow(state.flow);
      showTriggers(state.triggers);
    } catch {
      // The server is away: the lamp says so, and it is asked again.
    } finally {
      asking = false;
    }
  }

  if (!globalThis.document) return;
  setInterval(() => {
    if (document.hidden || asking || Date.now() - askedAt < (cards() ? CARDS_MS : EVERY_MS)) return;
    if (document.querySelector("[data-wf-stamp]") || flow() || cards() || shown().some(passed)) void ask();
  }, 1_000);
})();
