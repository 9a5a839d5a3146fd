// Large chunks that the first table or Gantt needs are fetched once the page has come to rest.
(() => {
  const WAIT_MS = 2_500;

  function fetchAhead() {
    const config = JSON.parse(document.getElementById("wf-config")?.textContent || "{}");
    for (const path of config.prefetch ?? []) {
      const link = document.createElement("link");
      link.rel = "prefetch";
      link.as = "script";
      link.href = path;
      document.head.append(link);
    }
  }

  window.addEventListener("load", () => setTimeout(() => requestIdleCallback(fetchAhead, { timeout: 5_000 }), WAIT_MS));
})();
