// Functions of Dash's clientside callbacks: what needs no server.
(() => {
  /** @type {any} */
  const page = window;
  page.dash_clientside ??= {};
  /** @type {any} */
  const clientside = page.dash_clientside;
  const keep = () => clientside.no_update;

  clientside.watchfloor = {
    /** Which link of the rail is the page's. */
    rail(/** @type {string} */ path, /** @type {any[]} */ ids) {
      return ids.map(({ page: name }) => (path === `/${name}` || path?.startsWith(`/${name}/`) ? "wf-rail-link here" : "wf-rail-link"));
    },

    /** Which tab is shown, by the address. */
    tabs(/** @type {string} */ path, /** @type {any[]} */ ids) {
      const found = ids.findIndex(({ tab }) => path?.endsWith(`/${tab}`));
      return ids.map((_, index) => (index === Math.max(0, found) ? "wf-tab here" : "wf-tab"));
    },

    /** The address, unless it only names another tab of the page that is shown. */
    visit(/** @type {string} */ path, /** @type {string | null} */ last) {
      const tabs = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("a.wf-tab")]).map((link) => link.pathname);
      const shown = [...tabs, tabs[0]?.replace(/\/[^/]*$/, "")];
      return tabs.includes(path) && shown.includes(last ?? "") ? keep() : path;
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
