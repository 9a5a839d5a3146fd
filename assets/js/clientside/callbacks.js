// Functions of Dash's clientside callbacks: what needs no server.
(() => {
  /** @type {any} */
  const page = window;
  page.dash_clientside ??= {};
  /** @type {any} */
  const clientside = page.dash_clientside;

  /** @returns {any} a pattern id as an object */
  const triggeredId = () => clientside.callback_context?.triggered_id;
  const keep = () => clientside.no_update;

  /** A chip of a filter that no control stands for. @param {[string, string]} filter @param {number} index */
  const otherChip = ([key, value], index) => ({
    namespace: "dash_html_components",
    type: "Button",
    props: {
      id: { type: "filter-other", index },
      className: "wf-filter-chip",
      title: "Remove this filter",
      children: `${page.wfFilters.words(key)} ${value}`,
      n_clicks: 0,
    },
  });

  /** @param {string[]} states @param {string} state */
  const toggled = (states, state) => (states.includes(state) ? states.filter((one) => one !== state) : [...states, state]);

  /** The view that the address names, changed by the control that was touched. */
  function changed(/** @type {any} */ view, /** @type {any} */ values, /** @type {any} */ who) {
    if (who?.type === "state-chip") return { ...view, states: who.state === "ALL" ? [] : toggled(view.states, who.state), page: 1 };
    if (who?.type === "filter-other") return { ...view, other: view.other.filter((/** @type {any} */ _, /** @type {number} */ i) => i !== who.index), page: 1 };
    if (who === "filter-clear") return { ...view, states: [], namespaces: [], flow: "", text: "", range: null, other: [], page: 1 };
    return { ...view, ...values, page: 1 };
  }

  clientside.watchfloor = {
    /** Address and controls of the list, kept equal: the address is the truth. */
    list(/** @type {string} */ search, /** @type {string[]} */ states, /** @type {string[]} */ namespaces,
      /** @type {string} */ flow, /** @type {string} */ text, /** @type {string} */ range) {
      const { parse, format, filters } = page.wfFilters;
      const who = triggeredId();
      const told = JSON.parse(document.getElementById("executions-view")?.dataset.wfParams ?? "{}");
      if (!location.pathname.startsWith(told.path)) return Array(9).fill(keep()); // on the way to another page
      const before = parse(search ?? "");
      const values = { states: states ?? [], namespaces: namespaces ?? [], flow: flow ?? "", text: text ?? "", range: range || null };
      const clicked = typeof who !== "object" || (clientside.callback_context.triggered[0]?.value ?? 0) > 0;
      const view = who && who !== "executions-url" && clicked ? changed(before, values, who) : before;
      const address = format(view);
      const own = filters(view);
      const wanted = [told.fixed, own].filter(Boolean).join("&");
      const params = JSON.stringify({ ...told, filters: wanted, sort: view.sort, page: view.page, size: view.size });
      const same = address === format(before);
      return [same ? keep() : address, view.states, view.namespaces, view.flow, view.text, view.range, params,
        view.other.map(otherChip), { display: own ? "" : "none" }];
    },

    /** Which link of the rail is the page's. */
    rail(/** @type {string} */ path, /** @type {any[]} */ ids) {
      return ids.map(({ page: name }) => (path === `/${name}` || path?.startsWith(`/${name}/`) ? "wf-rail-link here" : "wf-rail-link"));
    },

    /** Which tab is shown, by the address. */
    tabs(/** @type {string} */ path, /** @type {any[]} */ ids) {
      const found = ids.findIndex(({ tab }) => path?.endsWith(`/${tab}`));
      return ids.map((_, index) => (index === Math.max(0, found) ? "wf-tab here" : "wf-tab"));
    },

    /** The browser tab's title; the worst state on the page is put before it by the frame's module. */
    title(/** @type {{title: string} | null} */ shown) {
      if (shown) document.title = shown.title;
      return shown?.title ?? "";
    },

    /** `?` opens and closes the keyboard sheet. */
    sheet(/** @type {number} */ clicks, /** @type {boolean} */ opened) {
      return clicks ? !opened : keep();
    },
  };
})();
