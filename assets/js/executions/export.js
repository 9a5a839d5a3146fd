// View `executions-export`: a menu of formats, and for each export its progress with a button that ends it. The browser itself
// saves the file as it comes, so that a million rows take none of the page's memory; how far it is, the server is asked.
// Params: {fixed}; the element holds the button.
import { h, setAttr, setText } from "../dom.js";
import { bytes, count } from "../format.js";
import { openMenu } from "../execution/popup.js";
import { askOf } from "./address.js";
import { here } from "./place.js";

/** @typedef {"csv" | "jsonl" | "parquet"} Format */
/** As the server tells it. @typedef {{id: string, format: Format, state: string, rows: number, total: number, bytes: number, error?: string}} Progress */

const BASE = "/api/v1/main/executions/export";
const EVERY = 400; // ms between two questions
const START = 6; // seconds until an export must have begun
const SHOWN = 6_000; // ms for which one that has ended stays

/** @type {{format: Format, label: string, hint: string}[]} */
export const FORMATS = [
  { format: "csv", label: "CSV", hint: "spreadsheets" },
  { format: "jsonl", label: "JSON Lines", hint: "scripts" },
  { format: "parquet", label: "Parquet", hint: "analysis" },
];

/** Where the file is. @param {Format} format @param {{filters: string, sort: string}} ask @param {string} id */
export function addressOf(format, { filters, sort }, id) {
  return `${BASE}/by-query/${format}?${[filters, `sort=${sort}`, `export=${id}`].filter(Boolean).join("&")}`;
}

/** Done so far, 0 to 1. @param {Progress} progress */
export const share = ({ rows, total }) => (total ? Math.min(1, rows / total) : 1);

/** What is said of an export. @param {Progress} progress */
export function words(progress) {
  const { state, rows, total } = progress;
  if (state === "SUCCESS") return `${count(rows)} rows, ${bytes(progress.bytes)}`;
  if (state === "CANCELLED") return `cancelled at ${count(rows)} rows`;
  if (state === "FAILED") return `failed: ${progress.error ?? "unknown"}`;
  if (rows >= total && progress.format === "parquet") return `sending ${count(rows)} rows`;
  return `${count(rows)} of ${count(total)}`;
}

/** Exports of this page, whichever view shows them. @type {Map<string, Running>} */
const running = new Map();

/** One export: begins, asks how far it is until it has ended, and draws that. */
class Running {
  /** @param {Format} format @param {string} id @param {string} address */
  constructor(format, id, address) {
    this.id = id;
    this.address = address;
    this.bar = h("i");
    this.text = h("span", { class: "wf-num" }, "starts …");
    this.stop = h("button", { type: "button", class: "wfx-button icon", title: "Cancel the export", "aria-label": "Cancel the export", onclick: () => this.end() }, h("i", { class: "wf-icon wf-icon-close", "aria-hidden": "true" }));
    const name = FORMATS.find((one) => one.format === format)?.label ?? format;
    this.element = h("div", { class: "wf-export-run", role: "status", "data-state": "RUNNING" }, h("b", {}, name), h("span", { class: "wf-export-bar" }, this.bar), this.text, this.stop);
    h("a", { href: address, download: "" }).click();
    void this.ask();
  }

  async ask() {
    const answer = await fetch(`${BASE}/${this.id}?wait=${START}`).catch(() => null);
    if (answer?.ok) return this.draw(await answer.json());
    if (answer?.status === 404) return this.failed(await refusal(this.address));
    this.timer = setTimeout(() => void this.ask(), EVERY);
    return undefined;
  }

  /** @param {Progress} progress */
  draw(progress) {
    setText(this.text, words(progress));
    setAttr(this.element, "data-state", progress.state);
    this.bar.style.inlineSize = `${(share(progress) * 100).toFixed(1)}%`;
    if (progress.state === "RUNNING") this.timer = setTimeout(() => void this.ask(), EVERY);
    else this.over(progress.state === "FAILED" ? null : SHOWN);
  }

  /** @param {string} why */
  failed(why) {
    setText(this.text, why);
    setAttr(this.element, "data-state", "FAILED");
    this.over(null);
  }

  /** It has ended: the button takes it away, or time does. @param {number | null} ms */
  over(ms) {
    setAttr(this.stop, "title", "Close");
    setAttr(this.stop, "aria-label", "Close");
    this.ended = true;
    if (ms !== null) this.timer = setTimeout(() => this.gone(), ms);
  }

  /** Cancel what runs, close what has ended. */
  end() {
    if (this.ended) return this.gone();
    void fetch(`${BASE}/${this.id}`, { method: "DELETE" }).catch(() => null);
    return undefined;
  }

  gone() {
    clearTimeout(this.timer);
    running.delete(this.id);
    this.element.remove();
  }
}

/** Why the server makes no such file. @param {string} address */
async function refusal(address) {
  const asked = new AbortController();
  const answer = await fetch(address.replace(/&export=[^&]*$/, ""), { signal: asked.signal }).catch(() => null);
  const said = answer && !answer.ok ? await answer.json().catch(() => null) : null;
  asked.abort();
  return said?.message ?? "the server did not begin it; try again";
}

export class ExportButton {
  /** @param {HTMLElement} element @param {{fixed: string}} params */
  constructor(element, { fixed }) {
    this.element = element;
    this.fixed = fixed;
    this.button = /** @type {HTMLButtonElement} */ (element.querySelector("button"));
    this.open = () => this.menu();
    this.button.addEventListener("click", this.open);
    element.prepend(...[...running.values()].map((one) => one.element));
  }

  menu() {
    const { left, bottom } = this.button.getBoundingClientRect();
    const items = FORMATS.map(({ format, label, hint }) => ({ label, hint, run: () => this.start(format) }));
    openMenu({ x: left, y: bottom + 4 }, items, "Everything that matches");
  }

  /** @param {Format} format */
  start(format) {
    const id = `list-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
    const one = new Running(format, id, addressOf(format, askOf(here(), this.fixed), id));
    running.set(id, one);
    this.element.prepend(one.element);
  }

  unmount() {
    this.button.removeEventListener("click", this.open);
  }
}
