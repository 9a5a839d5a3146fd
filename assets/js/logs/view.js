// View `logs`: the lines of an execution, by task or by time, live, however many there are.
// Params: {id}. The element is empty. The address may name a place: ?task=…&taskRun=…&attempt=…&level=…&view=time&find=…#L<seq>.
import { copyText } from "../dom.js";
import { onTick } from "../execution/clock.js";
import { logPlace, logSearch, tabPath } from "../execution/links.js";
import { openMenu } from "../execution/popup.js";
import { watch } from "../execution/store.js";
import { toMs } from "../format.js";
import { isTerminal } from "../states.js";
import { Book } from "./book.js";
import { Drawer } from "./drawer.js";
import { quietRuns, startsOpen } from "./heads.js";
import { keepLooks, readLooks } from "./looks.js";
import { lineMenu, moreMenu } from "./menus.js";
import { Pane } from "./pane.js";
import { fetchJson } from "./query.js";
import { Seeker } from "./seeker.js";
import { shell } from "./shell.js";

/** @typedef {import("./query.js").Filters} Filters */
/** @typedef {import("./toolbar.js").Looks} Looks */
/** @typedef {{id: string}} Params */

class Logs {
  /** @param {HTMLElement} element @param {Params} params @param {any} live */
  constructor(element, params, live) {
    this.params = params;
    this.live = live;
    this.looks = readLooks();
    /** @type {Filters} */
    this.filters = {};
    /** @type {Map<string, boolean>} */
    this.opened = new Map();
    this.unseen = 0;
    this.drawer = new Drawer(this);
    /** @type {Pane} */
    this.pane = new Pane(this.drawer, (atEnd) => this.moved(atEnd));
    this.parts = shell(element, this.pane.element, {
      filter: (change) => this.setFilters(change),
      look: (change) => this.setLooks(change),
      find: (text) => this.seeker.find({ needle: text.trim() || undefined }),
      go: (direction) => this.seeker.go(direction),
      errors: (direction) => void this.seeker.goError(direction),
      follow: (on) => this.follow(on),
      menu: (button) => this.more(button),
    });
    this.seeker = new Seeker(this);
    const goal = this.take(location.search, location.hash);
    /** @type {Book} */
    this.book = this.newBook();
    this.pane.element.addEventListener("click", (event) => this.click(event));
    this.pane.element.addEventListener("keydown", (event) => event.key === "Enter" && this.click(event));
    this.watching = this.watch();
    const goto = (/** @type {any} */ event) => this.arrive(event.detail.search, event.detail.hash);
    window.addEventListener("wf:goto", goto);
    this.stops = [onTick(live, () => this.tick(), 500), () => window.removeEventListener("wf:goto", goto)];
    this.seeker.arrive(goal.find, goal.line);
    this.showState();
  }

  get finder() {
    return this.seeker.finder;
  }

  /** @returns {HTMLElement} */
  get paneElement() {
    return this.pane.element;
  }

  get model() {
    return this.watching?.model ?? { row: null, history: [], tasks: new Map(), answers: [], versions: new Map(), base: -1, gone: false };
  }

  /** Start of the execution in ms, for relative times. */
  get start() {
    return toMs(this.model.row?.start_date);
  }

  watch() {
    let begun = false;
    return watch(this.live, this.params.id, {
      changed: (_, model) => {
        if (!begun && model.row) {
          begun = true;
          if (!isTerminal(model.row.state) && !this.seeker.hasGoal) this.follow(true);
        }
        if (this.looks.view === "task") this.book.arrange();
        else this.showState();
      },
    });
  }

  newBook() {
    const { task, taskRun, attempt } = this.filters;
    return new Book({
      id: this.params.id,
      filters: this.filters,
      byTask: this.looks.view === "task",
      live: this.live,
      fetchJson,
      isOpen: (key) => this.isOpen(key),
      extras: () => (task || taskRun || attempt ? [] : quietRuns(this.model)),
      changed: () => this.changed(),
      came: (entries) => {
        if (!this.pane.following) this.unseen += entries.length;
        this.seeker.came(entries);
      },
    });
  }

  /** Ask anew: other lines, or in another order. */
  reload() {
    this.book.close();
    this.unseen = 0;
    this.book = this.newBook();
    this.pane.rebuild();
    this.changed();
  }

  /** Go to the place an address names. @param {string} search @param {string} hash */
  arrive(search, hash) {
    const { find, line } = this.take(search, hash);
    this.reload();
    this.seeker.arrive(find, line);
  }

  /** What lines an address asks for. @param {string} search @param {string} hash @returns {{find?: string, line?: number}} */
  take(search, hash) {
    const { task, taskRun, attempt, level, view, find, line } = logPlace(search, hash);
    if (view) Object.assign(this.looks, { view: view === "time" ? "time" : "task" });
    this.filters = { task, taskRun, attempt, level };
    this.parts.tools.find.input.value = find ?? "";
    this.seeker.goal = line ? `L${line}` : find ?? "";
    return { find, line };
  }

  /** The address says what is shown, so that it can be shared. @param {number} [line] */
  address(line) {
    if (!location.pathname.endsWith("/logs")) return;
    const view = this.looks.view === "time" ? "time" : undefined;
    const search = logSearch({ ...this.filters, view, find: this.finder.sought.needle });
    history.replaceState(history.state, "", `${tabPath(this.params.id, "logs")}${search}${line ? `#L${line}` : ""}`);
  }

  /** @param {string} key */
  isOpen(key) {
    const known = this.opened.get(key);
    if (known !== undefined) return known;
    const open = startsOpen(this.model, key, this.book?.groups.size ?? 0);
    if (this.model.row) this.opened.set(key, open);
    return open;
  }

  /** @param {string} key */
  toggle(key) {
    this.opened.set(key, !this.isOpen(key));
    this.book.arrange();
  }

  /** @param {boolean} open */
  openAll(open) {
    for (const key of this.book.groups.keys()) this.opened.set(key, open);
    this.book.arrange();
  }

  changed() {
    if (!this.book) return; // still being made
    this.pane.changed();
    this.showState();
  }

  /** @param {Filters} change */
  setFilters(change) {
    this.filters = { ...this.filters, ...change };
    this.address();
    this.reload();
    void this.finder.renew();
  }

  /** @param {Partial<Looks>} change */
  setLooks(change) {
    const { view } = this.looks;
    this.looks = { ...this.looks, ...change };
    keepLooks(this.looks);
    if (this.looks.view === view) {
      this.pane.rebuild();
      return this.showState();
    }
    this.address();
    this.reload();
    return void this.finder.renew();
  }

  /** @param {boolean} on */
  follow(on) {
    this.pane.follow(on);
    if (on) this.unseen = 0;
    this.showState();
  }

  /** The user scrolled. @param {boolean} atEnd */
  moved(atEnd) {
    if (atEnd === this.pane.following) this.showState();
    else this.follow(atEnd);
  }

  showState() {
    const { book, model, filters, looks, unseen } = this;
    this.parts.show({ book, model, filters, looks, unseen, following: this.pane.following });
  }

  /** Durations in the headers of what runs. */
  tick() {
    if (this.looks.view === "task" && this.model.row && !isTerminal(this.model.row.state)) this.pane.frame.ask();
  }

  /** @param {any} event */
  click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    const more = target.closest("[data-more]")?.getAttribute("data-more");
    const group = target.closest("[data-group]");
    if (more) return this.drawer.unfold(Number(more));
    if (group) return this.toggle(group.getAttribute("data-group") ?? "");
    const seq = target.closest(".log-time")?.closest("[data-seq]")?.getAttribute("data-seq");
    if (seq) openMenu({ x: event.clientX, y: event.clientY }, lineMenu(this, Number(seq)));
    return undefined;
  }

  /** @param {HTMLElement} button */
  more(button) {
    const box = button.getBoundingClientRect();
    openMenu({ x: box.right - 230, y: box.bottom + 4 }, moreMenu(this, button));
  }

  /** The text of the lines in view. */
  visibleText() {
    const lines = this.pane.inView().map((place) => this.drawer.textOf(place));
    return lines.filter(Boolean).join("\n");
  }

  /** @param {string} text @param {HTMLElement} [button] */
  copy(text, button) {
    void copyText(text, button);
  }

  /** @param {Params} params */
  update(params) {
    if (params.id === this.params.id) return;
    this.params = params;
    this.opened.clear();
    this.seeker.close();
    this.seeker = new Seeker(this);
    this.watching.close();
    this.watching = this.watch();
    this.arrive(location.search, location.hash);
  }

  unmount() {
    for (const stop of this.stops) stop();
    this.seeker.close();
    this.parts.tools.find.stop();
    this.book.close();
    this.watching.close();
    this.pane.close();
    this.parts.root.remove();
  }
}

/** @typedef {Logs} LogsView */

/** @param {HTMLElement} element @param {Params} params @param {any} live */
export function logs(element, params, live) {
  const view = new Logs(element, params, live);
  return { update: (/** @type {Params} */ next) => view.update(next), unmount: () => view.unmount() };
}
