// The list's address as values of its controls, and back. The wire form is that of the REST API:
// `filters[state][IN]=FAILED,WARNING&sort=startDate:desc&page=1&size=50`. What no control stands for is kept as it is.
(() => {
  /**
   * @typedef {{states: string[], namespaces: string[], flow: string, text: string, range: string | null,
   *   other: [string, string][], sort: string, page: number, size: number}} ListView
   */

  const DEFAULTS = { sort: "startDate:desc", page: 1, size: 50 };
  const KEYS = {
    states: "filters[state][IN]",
    namespaces: "filters[namespace][IN]",
    flow: "filters[flowId][CONTAINS]",
    text: "filters[q][EQUALS]",
    range: "filters[timeRange][EQUALS]",
  };
  const CONTROLLED = new Set(Object.values(KEYS));

  /** @param {string | null} value */
  const list = (value) => (value ? value.split(",").filter(Boolean) : []);
  /** @param {string | null} value @param {number} other */
  const count = (value, other) => (/^[0-9]+$/.test(value ?? "") ? Math.max(1, Number(value) || other) : other);

  /** @param {string} search with or without the `?` @returns {ListView} */
  function parse(search) {
    const query = new URLSearchParams(search);
    /** @type {[string, string][]} */
    const other = [...query].filter(([key]) => key.startsWith("filters[") && !CONTROLLED.has(key));
    return {
      states: list(query.get(KEYS.states)),
      namespaces: list(query.get(KEYS.namespaces)),
      flow: query.get(KEYS.flow) ?? "",
      text: query.get(KEYS.text) ?? "",
      range: query.get(KEYS.range),
      other,
      sort: query.get("sort") ?? DEFAULTS.sort,
      page: count(query.get("page"), DEFAULTS.page),
      size: count(query.get("size"), DEFAULTS.size),
    };
  }

  /** @param {string} text */
  const readable = (text) => encodeURIComponent(text).replace(/%(?:2C|3A|2F|5B|5D|40)/g, decodeURIComponent);
  /** @param {[string, string]} pair */
  const pair = ([key, value]) => `${readable(key)}=${readable(value)}`;

  /** The filters alone, in one order, so that equal views have equal addresses. @param {ListView} view */
  function filters(view) {
    /** @type {[string, string][]} */
    const pairs = [
      [KEYS.states, view.states.join(",")],
      [KEYS.namespaces, view.namespaces.join(",")],
      [KEYS.flow, view.flow.trim()],
      [KEYS.text, view.text.trim()],
      [KEYS.range, view.range ?? ""],
    ];
    return [...pairs.filter(([, value]) => value), ...view.other].map(pair).join("&");
  }

  /** @param {ListView} view @returns {string} with the `?`, or empty */
  function format(view) {
    /** @type {[string, string][]} */
    const rest = [
      ["sort", view.sort === DEFAULTS.sort ? "" : view.sort],
      ["page", view.page === DEFAULTS.page ? "" : String(view.page)],
      ["size", view.size === DEFAULTS.size ? "" : String(view.size)],
    ];
    const query = [filters(view), ...rest.filter(([, value]) => value).map(pair)].filter(Boolean).join("&");
    return query && `?${query}`;
  }

  /** `filters[labels][EQUALS][env]` as people read it: `labels env = `. @param {string} key */
  function words(key) {
    const parts = [...key.matchAll(/\[([^\]]*)\]/g)].map((match) => match[1]);
    const [field, comparator, ...path] = parts;
    return `${[field, ...path].join(" ")} ${(comparator ?? "").toLowerCase().replaceAll("_", " ")}`;
  }

  /** @type {any} */ (globalThis).wfFilters = { parse, filters, format, words, DEFAULTS };
})();
