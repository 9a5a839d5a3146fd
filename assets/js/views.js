// Which view draws in which element: an element with `data-wf-view` is mounted when it appears, told when its
// `data-wf-params` change, unmounted when it goes. Views register under a name; one that registers late finds its elements.

/**
 * @typedef {{update?: (params: any) => void, unmount?: () => void}} Mounted
 * @typedef {(element: HTMLElement, params: any, live: any) => Mounted | void} View
 */

const ATTRIBUTE = "data-wf-view";
const PARAMS = "data-wf-params";

/** @type {Map<string, View>} */
const registry = new Map();
/** @type {Map<HTMLElement, {name: string, text: string, mounted: Mounted}>} */
const mounted = new Map();
/** @type {any} */
let live = null;

/** Make a view known. @param {string} name @param {View} view */
export function register(name, view) {
  registry.set(name, view);
  if (live) scan(document.body);
}

/** @param {Element} element */
const paramsOf = (element) => element.getAttribute(PARAMS) || "{}";

/** A view that fails takes nothing else with it. @template T @param {string} name @param {() => T} work @returns {T | undefined} */
function guarded(name, work) {
  try {
    return work();
  } catch (error) {
    console.error(`view ${name}:`, error);
    return undefined;
  }
}

/** @param {HTMLElement} element */
function mount(element) {
  const name = element.getAttribute(ATTRIBUTE) ?? "";
  const view = registry.get(name);
  if (!view || mounted.has(element)) return;
  const text = paramsOf(element);
  mounted.set(element, { name, text, mounted: guarded(name, () => view(element, JSON.parse(text), live)) ?? {} });
}

/** @param {HTMLElement} element */
function unmount(element) {
  const entry = mounted.get(element);
  mounted.delete(element);
  if (entry) guarded(entry.name, () => entry.mounted.unmount?.());
}

/** @param {HTMLElement} element */
function changed(element) {
  const entry = mounted.get(element);
  if (!entry) return mount(element);
  if (entry.name !== element.getAttribute(ATTRIBUTE)) {
    unmount(element);
    return mount(element);
  }
  const text = paramsOf(element);
  if (text === entry.text) return undefined;
  entry.text = text;
  return guarded(entry.name, () => entry.mounted.update?.(JSON.parse(text)));
}

/** @param {Element} root */
function scan(root) {
  if (root.hasAttribute(ATTRIBUTE)) mount(/** @type {HTMLElement} */ (root));
  for (const element of root.querySelectorAll(`[${ATTRIBUTE}]`)) mount(/** @type {HTMLElement} */ (element));
}

/** @param {MutationRecord[]} records */
function observed(records) {
  if (records.some((record) => record.removedNodes.length)) {
    for (const element of [...mounted.keys()]) if (!element.isConnected) unmount(element);
  }
  for (const record of records) {
    if (record.type === "attributes") changed(/** @type {HTMLElement} */ (record.target));
    for (const node of record.addedNodes) if (node.nodeType === 1 && node.isConnected) scan(/** @type {Element} */ (node));
  }
}

/** Begin to mount. @param {any} theLive what views subscribe with */
export function startViews(theLive) {
  live = theLive;
  const observer = new MutationObserver(observed);
  observer.observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: [ATTRIBUTE, PARAMS] });
  scan(document.body);
}
