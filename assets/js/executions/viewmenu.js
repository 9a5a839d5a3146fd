// View `view-menu`: which saved view the list shows, all others, and what can be done with them. The element is empty.
import { copyText, h, pageConfig, setText } from "../dom.js";
import { openPopover } from "../popover.js";
import { parse } from "./address.js";
import { here, onPlace, settle, show } from "./place.js";
import { all, create, edited, find, onSaved, queryOf, refresh, remove, update } from "./saved.js";

/** @typedef {import("./saved.js").Saved} Saved */

const EVERYTHING = "All executions";

/** @param {string} name */
const icon = (name) => h("i", { class: `wf-icon wf-icon-${name}`, "aria-hidden": "true" });

/** A line of the menu. @param {string} text @param {() => void} press @param {{on?: boolean, side?: (Node | string | false)[], title?: string, danger?: boolean}} [more] */
const line = (text, press, { on = false, side = [], title, danger = false } = {}) =>
  h("button", { type: "button", class: danger ? "wf-menu-line danger" : "wf-menu-line", "aria-current": on ? "true" : null, title, onclick: press },
    h("span", { class: "wf-view-name" }, text), ...side);

export class ViewMenu {
  /** @param {HTMLElement} element */
  constructor(element) {
    settle();
    const config = pageConfig();
    this.user = config.user;
    this.mayShare = config.role !== "viewer";
    this.name = h("span");
    this.dot = h("span", { class: "wf-view-edited", hidden: true }, "edited");
    this.button = h("button", { type: "button", class: "wf-view-button", "aria-haspopup": "dialog", onclick: () => this.open() }, this.name, this.dot, icon("chevron-down"));
    this.save = h("button", { type: "button", class: "wf-link-button", hidden: true, onclick: () => this.keep() }, "Save changes");
    this.saveAs = h("button", { type: "button", class: "wf-link-button", hidden: true, onclick: () => this.openForm() }, "Save as view …");
    this.element = element;
    element.append(this.button, this.save, this.saveAs);
    const stops = [onPlace(() => this.show()), onSaved(() => this.show())];
    this.stop = () => stops.forEach((stop) => stop());
    this.show();
  }

  /** The saved view that the address names. @returns {Saved | undefined} */
  get saved() {
    return find(here().view);
  }

  /** @param {Saved} saved */
  mine(saved) {
    return saved.owner === this.user || (saved.shared && pageConfig().role === "admin");
  }

  show() {
    const view = here();
    const { saved } = this;
    const dirty = saved ? edited(view, saved) : queryOf(view) !== "";
    setText(this.name, saved?.name ?? (view.view ? "This view is gone, or not shared" : EVERYTHING));
    this.dot.hidden = !saved || !dirty;
    this.save.hidden = !saved || !dirty || !this.mine(saved);
    this.saveAs.hidden = !dirty;
  }

  // -- the menu

  open() {
    this.body = h("div", { class: "wf-views" });
    this.close = openPopover(this.button, this.body, { label: "Saved views", focus: this.draw() });
    refresh().then(() => this.body?.isConnected && !this.body.querySelector("form") && this.draw(), () => undefined);
  }

  /** @returns {HTMLElement | null} what gets the focus */
  draw() {
    const { saved } = this;
    const views = all();
    const own = views.filter(({ owner }) => owner === this.user);
    const others = views.filter(({ owner }) => owner !== this.user);
    const group = (/** @type {string} */ title, /** @type {Saved[]} */ list) => (list.length ? [h("div", { class: "wf-option-head" }, title), ...list.map((one) => this.entry(one))] : []);
    const list = h("div", { class: "wf-view-list" }, line(EVERYTHING, () => this.go(null), { on: !here().view }), ...group("Mine", own), ...group("Shared by others", others));
    this.error = h("p", { class: "wf-chip-error", role: "alert" });
    this.body?.replaceChildren(list, this.error, h("div", { class: "wf-view-actions" }, ...this.actions(saved)));
    return list.querySelector('[aria-current="true"]') ?? list.querySelector("button");
  }

  /** @param {Saved} view */
  entry(view) {
    const side = [view.default && h("span", { class: "wf-view-tag" }, "default"), view.pinned && h("span", { class: "wf-view-tag" }, "pinned"),
      h("span", { class: "wf-view-who" }, view.owner !== this.user ? view.owner : view.shared ? "shared" : "")];
    return line(view.name, () => this.go(view), { on: view.id === here().view, side });
  }

  /** @param {Saved | undefined} saved */
  actions(saved) {
    const again = line("Save as a new view …", () => this.form(null));
    if (!saved) return [again];
    const flip = (/** @type {Partial<Saved>} */ changes) => this.attempt(() => update(saved.id, changes));
    const mine = this.mine(saved);
    return [
      mine && edited(here(), saved) ? line("Save changes", () => this.attempt(() => this.keep())) : null,
      again,
      h("hr"),
      line(saved.pinned ? "Unpin from the rail" : "Pin to the rail", () => flip({ pinned: !saved.pinned })),
      line(saved.default ? "Open the list without it" : "Open the list with it", () => flip({ default: !saved.default })),
      this.linkLine(saved),
      mine ? line("Rename …", () => this.form(saved)) : null,
      mine && this.mayShare ? line(saved.shared ? "Make private" : "Share with everybody", () => flip({ shared: !saved.shared })) : null,
      mine ? this.deleteLine(saved) : null,
    ].filter((one) => one !== null);
  }

  /** @param {Saved} saved */
  linkLine(saved) {
    const made = line("Copy its link", () => copyText(`${location.origin}/executions?view=${encodeURIComponent(saved.id)}`, made), {
      side: [h("span", { class: "wf-view-who" }, saved.shared ? "" : "only you can open it")],
    });
    return made;
  }

  /** Pressed twice: it can't be undone. @param {Saved} saved */
  deleteLine(saved) {
    const made = line("Delete", () => {
      if (made.dataset.sure === undefined) {
        made.dataset.sure = "";
        return setText(/** @type {Node} */ (made.firstChild), saved.shared ? "Delete it for everybody? Press again" : "Delete it? Press again");
      }
      return void this.attempt(async () => {
        await remove(saved.id);
        show({ ...here(), view: "" });
      });
    }, { danger: true });
    return made;
  }

  /** @param {Saved | null} view */
  go(view) {
    this.close?.();
    show(view ? { ...parse(view.query), view: view.id } : parse(""));
  }

  // -- saving

  async keep() {
    const { saved } = this;
    if (saved) await update(saved.id, { query: queryOf(here()) });
    this.show();
  }

  openForm() {
    this.open();
    this.form(null);
  }

  /** The name of a new view, or another one of an old. @param {Saved | null} old */
  form(old) {
    const name = h("input", { class: "wf-popover-input", "aria-label": "Name of the view", placeholder: "Name", maxlength: 100, required: true, value: old?.name ?? "" });
    const shared = h("input", { type: "checkbox" });
    const share = !old && this.mayShare ? h("label", { class: "wf-check" }, shared, "Share with everybody") : null;
    this.error = h("p", { class: "wf-chip-error", role: "alert" });
    const submit = async () => {
      if (old) return void (await update(old.id, { name: name.value }));
      const made = await create({ name: name.value, query: queryOf(here()), shared: shared.checked });
      return show({ ...here(), view: made.id });
    };
    const form = h("form", { class: "wf-view-form", onsubmit: (/** @type {Event} */ event) => (event.preventDefault(), this.attempt(submit, true)) },
      h("b", {}, old ? "Rename the view" : "Save as a new view"), name, share, this.error, h("button", { type: "submit", class: "wfx-button primary" }, old ? "Rename" : "Save"));
    this.body?.replaceChildren(form);
    name.focus();
    name.select();
  }

  /** Do it; what went wrong is said in the box. @param {() => Promise<any>} work @param {boolean} [last] the box closes after it */
  async attempt(work, last = false) {
    try {
      await work();
    } catch (error) {
      if (this.error) setText(this.error, error instanceof Error ? error.message : String(error));
      return;
    }
    this.show();
    if (last) this.close?.();
    else if (this.body?.isConnected) this.draw()?.focus();
  }

  unmount() {
    this.stop();
    this.element.replaceChildren();
  }
}
