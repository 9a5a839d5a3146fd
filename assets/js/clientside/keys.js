// Keys of every page: `/` the filter, `?` the sheet, `g` and a letter a page. Lists have keys of their own in their view.
(() => {
  /** @type {{[key: string]: string}} */
  const PAGES = { e: "/executions", f: "/flows", o: "/operations", a: "/audit", s: "/settings" };
  let went = 0;

  const typing = (/** @type {EventTarget | null} */ target) =>
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
  const visible = (/** @type {Element} */ element) => element.getClientRects().length > 0;

  /** @param {string} path */
  function go(path) {
    history.pushState({}, "", path);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function focusFilter() {
    const found = [...document.querySelectorAll('[data-wf-filter] input, [role="search"] input[type="search"]')].find(visible);
    if (found instanceof HTMLElement) found.focus();
    return Boolean(found);
  }

  /** @type {{[key: string]: () => boolean}} whether the key did something */
  const KEYS = {
    "/": focusFilter,
    "?": () => {
      document.getElementById("keys-button")?.click();
      return true;
    },
    g: () => {
      went = performance.now();
      return true;
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape" && event.target instanceof HTMLElement) event.target.blur();
      return;
    }
    const second = performance.now() - went < 1000 && PAGES[event.key];
    went = 0;
    if (second) go(second);
    if (second || KEYS[event.key]?.()) event.preventDefault();
  });
})();
