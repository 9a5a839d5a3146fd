// The colours of the tokens as plain values, for Plotly and Cytoscape, and word of a change of theme.

const NAMES = ["page", "panel", "raised", "border", "border-strong", "text", "muted", "faint", "accent"];
const STATES = ["success", "running", "waiting", "retrying", "paused", "warning", "failed", "killed", "skipped"];

/** @returns {{[token: string]: string}} state tokens by their name, surfaces too */
export function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const read = (/** @type {string} */ name) => style.getPropertyValue(name).trim() || "#888888";
  const surfaces = NAMES.map((name) => [name, read(`--${name}`)]);
  return Object.fromEntries([...surfaces, ...STATES.map((name) => [name, read(`--state-${name}`)])]);
}

/** @param {() => void} changed @returns {() => void} stops it */
export function onTheme(changed) {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}
