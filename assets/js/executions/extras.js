// What cells show that does not travel live: inputs, outputs, the usual duration. It is asked for when a cell is in sight, for many
// at once, and kept a while.
import { setStyle, setText } from "../dom.js";
import { toMs } from "../format.js";

/** @typedef {import("../live/types.js").Row} Row */
/** @typedef {{inputs: string, outputs: string}} Values */

const ASK_AFTER_MS = 120; // so that a list that is drawn asks once
const MOST = 100; // ids of one request
const USUAL_MS = 60_000;
const RETRY_MS = 5_000;
const KEPT = 2_000;
const LONG = 1.05; // of the usual duration

/** @param {Row} row */
const flowOf = (row) => `${row.namespace}/${row.flow_id}`;
/** Outputs may come with the end, and others with another attempt. @param {Row} row */
const keyOf = (row) => `${row.id} ${row.attempt_number ?? 1} ${row.end_date ?? ""}`;

/** @param {string[]} ids @returns {Promise<{values: {[id: string]: Values}, usual: {[flow: string]: number | null}}>} */
async function fetchValues(ids) {
  const answer = await fetch(`/list-values?ids=${ids.map(encodeURIComponent).join(",")}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`expected values, came ${answer.status}`);
  return answer.json();
}

/** How far an execution is against the usual duration; null where that is not known. @param {Row} row @param {number | null | undefined} p50 in seconds
 * @param {number} now @returns {{share: number, text: string} | null} */
export function progressOf(row, p50, now) {
  if (!(Number(p50) > 0)) return null;
  const share = Math.max(0, ((row.end_date ? toMs(row.end_date) : now) - toMs(row.start_date)) / (Number(p50) * 1000));
  const times = share >= 10 ? share.toFixed(0) : share.toFixed(1);
  return { share, text: row.end_date || share > LONG ? `${times} ×` : `${Math.round(100 * share)} %` };
}

export class Extras {
  /** @param {() => number} now the last confirmed moment @param {typeof fetchValues} [ask] */
  constructor(now, ask = fetchValues) {
    this.now = now;
    this.ask = ask;
    /** @type {Map<string, Values>} */
    this.values = new Map();
    /** @type {Map<string, {p50: number | null, at: number}>} */
    this.usual = new Map();
    /** What each cell shows now. @type {Map<HTMLElement, {row: Row, draw: () => void}>} */
    this.cells = new Map();
    /** Cells that lack something. @type {Set<HTMLElement>} */
    this.waiting = new Set();
    /** Cells of progress that goes on. @type {Map<HTMLElement, Row>} */
    this.running = new Map();
    /** @type {any} */
    this.timer = null;
  }

  /** A cell with inputs or outputs. @param {HTMLElement} element @param {Row} row @param {"inputs" | "outputs"} name */
  showValues(element, row, name) {
    const known = this.values.get(keyOf(row));
    setText(element, known?.[name] ?? "");
    this.shown(element, row, Boolean(known), () => this.showValues(element, row, name));
  }

  /** A cell with progress. @param {HTMLElement} element @param {Row} row */
  showProgress(element, row) {
    const known = this.usual.get(flowOf(row));
    const progress = progressOf(row, known?.p50, this.now());
    element.dataset.pace = row.end_date ? "ended" : progress && progress.share > LONG ? "long" : "usual";
    setText(/** @type {Node} */ (element.lastChild), progress?.text ?? (known ? "–" : ""));
    setStyle(element, { "--share": Math.min(1, progress?.share ?? 0).toFixed(3) });
    if (row.end_date) this.running.delete(element);
    else this.running.set(element, row);
    this.shown(element, row, known !== undefined && Date.now() - known.at < USUAL_MS, () => this.showProgress(element, row));
  }

  /** @param {HTMLElement} element @param {Row} row @param {boolean} whole whether all that it shows is known @param {() => void} draw */
  shown(element, row, whole, draw) {
    this.cells.set(element, { row, draw });
    if (whole) return void this.waiting.delete(element);
    this.waiting.add(element);
    this.timer ??= setTimeout(() => void this.fetch(), ASK_AFTER_MS);
  }

  /** Running ones go on. */
  tick() {
    for (const [element, row] of this.running) this.showProgress(element, row);
  }

  /** The cell is no more. @param {HTMLElement} element */
  forget(element) {
    this.cells.delete(element);
    this.waiting.delete(element);
    this.running.delete(element);
  }

  async fetch() {
    const asked = [...this.waiting].slice(0, MOST);
    const rows = new Map(asked.map((element) => this.cells.get(element)?.row).filter((row) => row !== undefined).map((row) => [row.id, row]));
    const found = rows.size ? await this.ask([...rows.keys()]).catch(() => null) : null;
    if (!found) {
      this.timer = rows.size ? setTimeout(() => void this.fetch(), RETRY_MS) : null; // the lamp says what is away
      return;
    }
    this.timer = null;
    this.keep([...rows.values()], found);
    for (const element of asked) this.cells.get(element)?.draw();
    if (this.waiting.size) this.timer ??= setTimeout(() => void this.fetch(), ASK_AFTER_MS);
  }

  /** @param {Row[]} rows @param {Awaited<ReturnType<typeof fetchValues>>} found */
  keep(rows, found) {
    if (this.values.size > KEPT) this.values.clear();
    const at = Date.now();
    for (const row of rows) {
      this.values.set(keyOf(row), found.values[row.id] ?? { inputs: "", outputs: "" });
      this.usual.set(flowOf(row), { p50: found.usual[flowOf(row)] ?? null, at });
    }
  }

  close() {
    this.cells.clear();
    this.waiting.clear();
    this.running.clear();
    clearTimeout(this.timer);
  }
}
