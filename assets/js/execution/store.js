// One subscription an execution, however many views of the page look at it.
import { empty, fold, fromSnapshot } from "./fold.js";

/**
 * @typedef {import("./fold.js").Model} Model
 * @typedef {{changed: (changedTaskRuns: Set<string> | null, model: Model) => void, lost?: () => void}} Listener
 *   `null` for the set means: everything (a snapshot came)
 * @typedef {{model: Model, close: () => void}} Watch
 */

/** @type {WeakMap<object, Map<string, Shared>>} */
const shared = new WeakMap();

class Shared {
  /** @param {any} live @param {string} id @param {() => void} gone */
  constructor(live, id, gone) {
    this.model = empty();
    this.ready = false;
    this.gone = gone;
    /** @type {Set<Listener>} */
    this.listeners = new Set();
    this.subscription = live.subscribe("execution", { id }, {
      snapshot: (/** @type {any} */ snapshot) => this.replace(snapshot),
      items: (/** @type {any[]} */ items) => this.apply(items),
      resumed: () => {},
      lost: () => this.listeners.forEach((listener) => listener.lost?.()),
    });
  }

  /** @param {any} snapshot */
  replace(snapshot) {
    if (this.model.row && !snapshot.row) this.model.gone = true;
    else Object.assign(this.model, fromSnapshot(snapshot));
    this.ready = true;
    this.tell(null);
  }

  /** @param {any[]} items */
  apply(items) {
    const changed = new Set(items.flatMap((item) => fold(this.model, item)));
    this.tell(changed);
  }

  /** @param {Set<string> | null} changed */
  tell(changed) {
    for (const listener of this.listeners) listener.changed(changed, this.model);
  }

  /** @param {Listener} listener */
  remove(listener) {
    this.listeners.delete(listener);
    if (this.listeners.size) return;
    this.gone();
    this.subscription.close();
  }
}

/**
 * Look at an execution. The listener is called at once when a snapshot is known already, then after each frame.
 * @param {any} live @param {string} id @param {Listener} listener
 * @returns {Watch}
 */
export function watch(live, id, listener) {
  const all = shared.get(live) ?? new Map();
  shared.set(live, all);
  const entry = all.get(id) ?? new Shared(live, id, () => all.delete(id));
  all.set(id, entry);
  entry.listeners.add(listener);
  if (entry.ready) listener.changed(null, entry.model);
  return { model: entry.model, close: () => entry.remove(listener) };
}
