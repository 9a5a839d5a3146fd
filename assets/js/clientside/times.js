// `<time data-wf-time="…Z">` in the browser's zone: the clock today, the day too otherwise; the whole in the tooltip.
(() => {
  const pad = (/** @type {number} */ n) => String(n).padStart(2, "0");

  /** @param {Date} at @param {Date} now */
  function words(at, now) {
    const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
    if (at.toDateString() === now.toDateString()) return clock;
    const year = at.getFullYear() === now.getFullYear() ? "" : `${at.getFullYear()}-`;
    return `${year}${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock}`;
  }

  /** @param {ParentNode} root */
  function show(root) {
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("time[data-wf-time]"))) {
      const at = new Date(element.dataset.wfTime ?? "");
      const text = words(at, new Date());
      if (element.textContent !== text) element.textContent = text;
      element.title = at.toString();
    }
  }

  /** @type {any} */ (globalThis).wfTimes = { words, show };
  if (!globalThis.document) return;
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) {
      for (const node of addedNodes) if (node instanceof Element) show(/** @type {ParentNode} */ (node.parentNode ?? node));
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
