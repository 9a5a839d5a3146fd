// Elements without innerHTML: text is only ever set as text.

/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {{[name: string]: any}} Props */

const SVG = "http://www.w3.org/2000/svg";

/** @param {Element} element @param {Props} props */
function apply(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (name === "style" && typeof value === "object") setStyle(/** @type {HTMLElement} */ (element), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {HTMLElement} element @param {{[property: string]: string | number}} values custom properties too */
export function setStyle(element, values) {
  for (const [property, value] of Object.entries(values)) element.style.setProperty(property, String(value));
}

/** @param {Element} element @param {Child[]} children */
function append(element, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "number" ? String(child) : child);
  }
}

/**
 * An HTML element: `h("button", {class: "x", onclick: f, title: "…"}, "Text")`. Absent, null and false props are left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  apply(element, props);
  append(element, children);
  return element;
}

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...Child} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function s(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  apply(element, props);
  append(element, children);
  return element;
}

/** Replace the text of an element only where it changed, so that selections and layout are left alone; a text that is there
 * already takes the new words, which costs the browser less than another node.
 * @param {Node} element @param {string} text */
export function setText(element, text) {
  const only = element.firstChild;
  if (only instanceof Text && !only.nextSibling) {
    if (only.data !== text) only.data = text;
  } else if (element.textContent !== text) element.textContent = text;
}

/** @param {Element} element @param {string} name @param {string | null} value null removes it */
export function setAttr(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Run `paint` at most once per animation frame, however often it is asked for. With `eager` the first time in a frame is at
 * once, so that what is drawn is ready when the frame begins; later ones wait for the next.
 * @param {() => void} paint @param {{eager?: boolean}} [how]
 * @returns {{ask: () => void, cancel: () => void}}
 */
export function onFrame(paint, { eager = false } = {}) {
  let handle = 0;
  let again = false;
  const run = () => {
    handle = 0;
    if (!eager || again) paint();
    again = false;
  };
  return {
    ask() {
      again = handle !== 0;
      if (handle) return;
      handle = requestAnimationFrame(run);
      if (eager) paint();
    },
    cancel() {
      cancelAnimationFrame(handle);
      handle = 0;
    },
  };
}

/** Copy text; says on the button whether it worked. @param {string} text @param {HTMLElement} [button] */
export async function copyText(text, button) {
  const done = await write(text);
  if (!button) return;
  button.dataset.copied = done ? "yes" : "no";
  setTimeout(() => delete button.dataset.copied, 1200);
}

/** @param {string} text @returns {Promise<boolean>} */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // pages served over plain HTTP have no clipboard API
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const area = h("textarea", { class: "wf-offscreen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** The page's configuration, given by the server. @returns {any} */
export function pageConfig() {
  const element = globalThis.document?.getElementById("wf-config");
  return element ? JSON.parse(element.textContent || "{}") : {};
}

/** Set props of a Dash component. @param {any} id @param {{[prop: string]: any}} props */
export function setProps(id, props) {
  /** @type {any} */ (window).dash_clientside?.set_props(id, props);
}
