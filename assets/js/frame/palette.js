// The palette, Ctrl+K on every page: pages, flows, executions, saved views, and actions on what is selected or open.
import { h, setAttr } from "../dom.js";
import { closePopover, keepFocus } from "../popover.js";
import { found, known, searchLine } from "./lines.js";
import { ranked } from "./ranking.js";

/** @typedef {import("./ranking.js").Line} Line */

const WAIT_MS = 150;

/** @type {{close: () => void} | null} */
let open = null;

/** @param {Line} line @param {number} index */
function row(line, index) {
  return h("div", { class: line.danger ? "wf-option danger" : "wf-option", role: "option", id: `wf-palette-${index}`, "data-index": index, "aria-disabled": line.disabled ? "true" : null, title: line.disabled ?? null },
    h("span", { class: "wf-option-word" }, line.title), h("span", { class: "wf-option-detail" }, line.disabled ?? line.detail ?? ""), line.keys && h("kbd", {}, line.keys));
}

/** Open the palette, or close it. */
export function togglePalette() {
  if (open) return open.close();
  closePopover();
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  const list = h("div", { class: "wf-palette-list", role: "listbox", id: "wf-palette-list", "aria-label": "Results" });
  const input = h("input", { class: "wf-palette-input", type: "text", placeholder: "Go to a page, flow or execution, or do something", "aria-label": "Search everything", role: "combobox", "aria-expanded": "true", "aria-controls": "wf-palette-list", autocomplete: "off", spellcheck: "false" });
  const box = h("div", { class: "wf-palette", role: "dialog", "aria-modal": "true", "aria-label": "Palette" }, input, list);
  const shade = h("div", { class: "wf-palette-shade" }, box);
  const own = known();
  /** @type {Line[]} */
  let fetched = [];
  /** @type {Line[]} */
  let shown = [];
  let active = 0;
  let timer = 0;
  let asking = new AbortController();

  const mark = () => {
    for (const element of list.querySelectorAll(".wf-option")) setAttr(element, "data-active", element.id === `wf-palette-${active}` ? "" : null);
    setAttr(input, "aria-activedescendant", shown.length ? `wf-palette-${active}` : null);
    list.querySelector("[data-active]")?.scrollIntoView({ block: "nearest" });
  };
  const draw = () => {
    const text = input.value.trim();
    shown = ranked([...own, ...(text ? [...fetched, searchLine(text)] : [])], text);
    active = Math.max(0, Math.min(active, shown.length - 1));
    list.replaceChildren(...shown.flatMap((line, index) => [
      ...(line.group !== shown[index - 1]?.group ? [h("div", { class: "wf-option-head", role: "presentation" }, line.group)] : []), row(line, index),
    ]));
    mark();
  };
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const text = input.value.trim();
    try {
      fetched = text ? await found(text, asking.signal) : [];
    } catch {
      return; // asked anew meanwhile, or the server is away: the lamp says so
    }
    draw();
  };
  const choose = (/** @type {number} */ index) => {
    const line = shown[index];
    if (!line || line.disabled) return;
    close();
    line.run();
  };
  const close = () => {
    open = null;
    clearTimeout(timer);
    asking.abort();
    shade.remove();
    before?.focus?.({ preventScroll: true });
  };
  input.addEventListener("input", () => {
    active = 0;
    draw();
    clearTimeout(timer);
    timer = window.setTimeout(ask, WAIT_MS);
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      active = (active + step + shown.length) % shown.length;
      mark();
    } else if (event.key === "Enter") choose(active);
    else if (event.key === "Escape") close();
    else if (event.key === "Tab") return keepFocus(event, box);
    else return undefined;
    event.stopPropagation();
    return event.preventDefault();
  });
  shade.addEventListener("pointerdown", (event) => event.target === shade && close());
  list.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target).closest(".wf-option");
    if (target) choose(Number(target.getAttribute("data-index")));
  });
  document.body.append(shade);
  open = { close };
  draw();
  return input.focus();
}

/** Listen for Ctrl+K, and for the button in the top bar. */
export function listenToPalette() {
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    togglePalette();
  });
  document.addEventListener("click", (event) => /** @type {Element} */ (event.target).closest?.("[data-wf-palette]") && togglePalette());
}
