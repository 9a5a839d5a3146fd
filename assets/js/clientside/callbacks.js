// Functions of Dash's clientside callbacks.
(() => {
  /** @type {any} */
  const page = window;
  page.dash_clientside = Object.assign({}, page.dash_clientside, { watchfloor: {} });
})();
