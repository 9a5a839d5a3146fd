// Lines of one query by their index: a sparse cache of pages. What isn't here is fetched when it is looked at.

/** @typedef {{seq: number, execution_id: string, task_id?: string | null, task_run_id?: string | null, attempt: number, number: number,
 *   date: string, level: string, message: string}} Entry */
/** @typedef {{entries: (Entry | undefined)[], held: number, used: number}} Page */

export const PAGE = 200;

/** Rises with every look at a page, over all caches, so that the oldest look of all can be found. */
let looks = 0;

export class Lines {
  /** @param {number} [total] */
  constructor(total = 0) {
    this.total = total;
    this.lastSeq = 0;
    /** @type {Map<number, Page>} */
    this.pages = new Map();
    /** When a page was asked for, so that it isn't asked for twice at once. @type {Map<number, number>} */
    this.asked = new Map();
  }

  /** @param {number} index @returns {Entry | undefined} */
  get(index) {
    return this.pages.get(Math.floor(index / PAGE))?.entries[index % PAGE];
  }

  /** @param {number} index @param {Entry} entry */
  set(index, entry) {
    const number = Math.floor(index / PAGE);
    let page = this.pages.get(number);
    if (!page) {
      page = { entries: [], held: 0, used: (looks += 1) };
      this.pages.set(number, page);
    }
    if (!page.entries[index % PAGE]) page.held += 1;
    page.entries[index % PAGE] = entry;
  }

  /** A window that was fetched. Lines that came behind the known end are left: they come by the tail.
   * @param {number} offset @param {Entry[]} entries */
  put(offset, entries) {
    entries.forEach((entry, i) => offset + i < this.total && this.set(offset + i, entry));
  }

  /** New lines at the end. @param {Entry[]} entries @param {number} [total] how many there are with them */
  append(entries, total = this.total + entries.length) {
    this.total = total;
    entries.forEach((entry, i) => this.set(total - entries.length + i, entry));
    this.lastSeq = entries.at(-1)?.seq ?? this.lastSeq;
  }

  /** Pages that some line from `from` to before `to` is missing of; marks all as used.
   * @param {number} from @param {number} to @returns {number[]} */
  missing(from, to) {
    const found = [];
    const last = Math.min(to, this.total) - 1;
    for (let number = Math.floor(Math.max(0, from) / PAGE); number * PAGE <= last; number += 1) {
      const page = this.pages.get(number);
      if (page) page.used = looks += 1;
      if ((page?.held ?? 0) < Math.min(PAGE, this.total - number * PAGE)) found.push(number);
    }
    return found;
  }
}

/** Forget what was not looked at for longest, down to `most` pages over all caches.
 * @param {Lines[]} caches @param {number} most @returns {number} how many went */
export function trim(caches, most) {
  const all = caches.flatMap((cache) => [...cache.pages].map(([number, { used }]) => ({ cache, number, used })));
  const over = all.length - most;
  if (over <= 0) return 0;
  all.sort((a, b) => a.used - b.used);
  for (const { cache, number } of all.slice(0, over)) cache.pages.delete(number);
  return over;
}
