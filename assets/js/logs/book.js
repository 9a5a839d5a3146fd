// The lines of an execution that a filter lets through, by task run or by time: what is known, what is fetched, what comes live.
import { Lines, PAGE, trim } from "./lines.js";
import { logsAddress, restQuery, topicParams } from "./query.js";
import { Sections } from "./sections.js";

/** @typedef {import("./lines.js").Entry} Entry */
/** @typedef {import("./query.js").Filters} Filters */
/** @typedef {import("./sections.js").Place} Place */
/** @typedef {{key: string, task: string, lines: Lines, errors: number}} Group `key` is the task run's id, empty for the execution's own */
/** @typedef {{id: string, filters: Filters, byTask: boolean, live: any, fetchJson: (address: string) => Promise<any>, isOpen: (key: string) => boolean,
 *   extras?: () => string[], changed: () => void, came?: (entries: Entry[]) => void, now?: () => number}} Options */

const PAGES_KEPT = 150;
const MARGIN = 60; // lines fetched beyond those in view
const ASK_AGAIN_MS = 3000;

export class Book {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    /** @type {Map<string, Group>} */
    this.groups = new Map();
    this.sections = new Sections([]);
    this.ready = false;
    this.skipped = 0;
    /** @type {string} */
    this.problem = "";
    this.closed = false;
    this.asked = {};
    /** Lines that came while the groups were asked for. @type {Entry[] | null} */
    this.early = null;
    this.subscription = options.live.subscribe("logs", topicParams(options.id, options.filters), {
      snapshot: (/** @type {any} */ snapshot) => void this.begin(snapshot),
      items: (/** @type {any[]} */ items) => items.forEach((item) => this.take(item)),
      resumed: () => {},
      lost: () => {},
      refused: (/** @type {string} */ error) => this.fail(error),
    });
  }

  get total() {
    let total = 0;
    for (const { lines } of this.groups.values()) total += lines.total;
    return total;
  }

  /** @param {{total: number, last_seq: number}} snapshot */
  async begin({ total, last_seq }) {
    if (this.options.byTask) return this.regroup();
    const group = { key: "", task: "", lines: new Lines(total), errors: 0 };
    group.lines.lastSeq = last_seq;
    this.groups = new Map([["", group]]);
    this.done();
    return undefined;
  }

  /** Ask how many lines each task run has; what comes meanwhile is taken after it. */
  async regroup() {
    const asked = (this.asked = {});
    this.early = [];
    const address = logsAddress(this.options.id, "groups", restQuery(this.options.filters));
    try {
      const { groups } = await this.options.fetchJson(address);
      if (this.closed || this.asked !== asked) return;
      this.groups = new Map(groups.map((/** @type {any} */ one) => [one.task_run_id ?? "", this.group(one)]));
    } catch (error) {
      if (this.asked === asked) this.fail(String(error));
    }
    if (this.closed || this.asked !== asked) return;
    /** @type {Entry[]} */
    const early = this.early ?? [];
    this.early = null;
    this.add(early);
    this.done();
  }

  /** @param {any} answer @returns {Group} the lines known of it are kept */
  group({ task_run_id, task_id, total, errors, last_seq }) {
    const lines = this.groups.get(task_run_id ?? "")?.lines ?? new Lines();
    Object.assign(lines, { total, lastSeq: last_seq });
    return { key: task_run_id ?? "", task: task_id ?? "", lines, errors };
  }

  /** @param {string} problem */
  fail(problem) {
    this.problem = problem.replace(/^Error: /, "");
    this.ready = true;
    this.options.changed();
  }

  done() {
    this.ready = true;
    this.problem = "";
    this.arrange();
  }

  /** Sections anew: groups came or went, or were opened or closed. */
  arrange() {
    if (!this.ready) return;
    const header = this.options.byTask;
    const extras = (header && this.options.extras?.()) || []; // task runs that run and have no line yet
    const keys = [...this.groups.keys(), ...extras.filter((key) => !this.groups.has(key))];
    const open = (/** @type {string} */ key) => !header || this.options.isOpen(key);
    this.sections = new Sections(keys.map((key) => ({ key, count: this.groups.get(key)?.lines.total ?? 0, open: open(key), header })));
    this.options.changed();
  }

  /** @param {any} item of the live topic */
  take(item) {
    if (item.t === "skipped") this.skip(item);
    if (item.t !== "lines" || !item.entries.length) return;
    this.options.came?.(item.entries);
    this.add(item.entries, item.total);
  }

  /** @param {{count: number}} item */
  skip({ count }) {
    this.skipped += count;
    if (this.options.byTask) void this.regroup();
  }

  /** @param {Entry[]} entries @param {number} [total] */
  add(entries, total) {
    if (this.early) return void this.early.push(...entries);
    if (!entries.length) return;
    const fresh = this.options.byTask ? this.addByTask(entries) : this.addByTime(entries, total);
    trim([...this.groups.values()].map((group) => group.lines), PAGES_KEPT);
    if (fresh) this.arrange();
    else this.recount();
  }

  /** @param {Entry[]} entries @param {number} [total] */
  addByTime(entries, total) {
    this.groups.get("")?.lines.append(entries, total);
    return false;
  }

  /** @param {Entry[]} entries @returns {boolean} whether a group is new */
  addByTask(entries) {
    let fresh = false;
    for (const entry of entries) {
      const key = entry.task_run_id ?? "";
      let group = this.groups.get(key);
      if (!group) {
        group = { key, task: entry.task_id ?? "", lines: new Lines(), errors: 0 };
        this.groups.set(key, group);
        fresh = true;
      }
      if (entry.seq <= group.lines.lastSeq) continue;
      group.lines.append([entry]);
      if (entry.level === "ERROR") group.errors += 1;
    }
    return fresh;
  }

  recount() {
    for (const section of this.sections.sections) section.count = this.groups.get(section.key)?.lines.total ?? 0;
    this.sections.count();
    this.options.changed();
  }

  /** @param {Place} place @returns {Entry | undefined} */
  entry({ section, line }) {
    return this.groupAt(section)?.lines.get(line);
  }

  /** @param {number} section @returns {Group | undefined} */
  groupAt(section) {
    return this.groups.get(this.sections.sections[section]?.key);
  }

  /** Fetch what is missing of the places in view and a little around. @param {Place[]} places */
  ensure(places) {
    /** @type {Map<number, [number, number]>} */
    const wanted = new Map();
    for (const { section, line } of places) {
      const [from, to] = wanted.get(section) ?? [line, line];
      if (line >= 0) wanted.set(section, [Math.min(Math.max(0, from), line), Math.max(to, line)]);
    }
    for (const [section, [from, to]] of wanted) {
      const group = this.groupAt(section);
      for (const page of group?.lines.missing(from - MARGIN, to + MARGIN) ?? []) void this.fetch(/** @type {Group} */ (group), section, page);
    }
  }

  /** @param {Group} group @param {number} section @param {number} page */
  async fetch(group, section, page) {
    const now = (this.options.now ?? performance.now.bind(performance))();
    if (now - (group.lines.asked.get(page) ?? -Infinity) < ASK_AGAIN_MS) return;
    group.lines.asked.set(page, now);
    try {
      const { entries } = await this.options.fetchJson(this.windowAddress(group, section, page));
      if (this.closed) return;
      const ours = (/** @type {Entry} */ entry) => !this.options.byTask || (entry.task_run_id ?? "") === group.key;
      group.lines.put(page * PAGE, entries.filter(ours));
      group.lines.asked.delete(page);
      this.problem = "";
    } catch (error) {
      this.problem = String(error).replace(/^(Type)?Error: /, "");
      setTimeout(() => !this.closed && this.options.changed(), ASK_AGAIN_MS + 50);
    }
    if (!this.closed) this.options.changed();
  }

  /** @param {Group} group @param {number} section @param {number} page */
  windowAddress(group, section, page) {
    const { id, filters, byTask } = this.options;
    const own = byTask && !group.key; // the execution's own lines have no task run to ask for: they are asked for by place
    const offset = page * PAGE + (own ? this.sections.indexOf({ section, line: 0 }) : 0);
    const run = byTask && group.key ? { ...filters, taskRun: group.key } : filters;
    return logsAddress(id, "window", restQuery(run, { offset, limit: PAGE, order: own ? "task" : undefined }));
  }

  close() {
    this.closed = true;
    this.subscription.close();
  }
}
