// Before the first paint: the theme that was chosen, else the system's. Mantine keeps the choice; our own
// attribute follows Mantine's, and `wf:theme` tells drawings that read colours from CSS.
(() => {
  const root = document.documentElement;
  const chosen = () => {
    try {
      return localStorage.getItem("mantine-color-scheme-value");
    } catch {
      return null; // storage may be forbidden
    }
  };
  const system = () => (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");
  const initial = chosen();
  const scheme = initial === "light" || initial === "dark" ? initial : system();
  root.setAttribute("data-theme", scheme);
  root.setAttribute("data-mantine-color-scheme", scheme);

  new MutationObserver(() => {
    const now = root.getAttribute("data-mantine-color-scheme");
    if (!now || now === root.getAttribute("data-theme")) return;
    root.setAttribute("data-theme", now);
    window.dispatchEvent(new CustomEvent("wf:theme", { detail: now }));
  }).observe(root, { attributes: true, attributeFilter: ["data-mantine-color-scheme"] });
})();
