// Which columns the list shows, in which order, how wide, and which stay in sight: in the address `columns=state,flow:220,id:l`,
// each a column's id, and if they differ from what they were, its width and the side it is pinned to. No DOM.

/** @typedef {{id: string, width?: number, pin?: "left" | "right"}} Column */
/** A column that there is; `wide`: by default it stands only in a table of at least so many pixels, null: only when chosen.
 * @typedef {{id: string, title: string, wide: number | null}} Known */

const SIDES = /** @type {const} */ ({ l: "left", r: "right" });
const MIN_WIDTH = 40;
const MAX_WIDTH = 2_000;

/** What a table of that width shows unless something else is said. @param {Known[]} known @param {number} width @returns {Column[]} */
export const usual = (known, width) => known.filter(({ wide }) => wide !== null && width >= wide).map(({ id }) => ({ id }));

/** The columns that an address names; what it does not know is left out. @param {string} text @param {Known[]} known @param {number} width
 * @returns {Column[]} */
export function parseColumns(text, known, width) {
  const there = new Set(known.map(({ id }) => id));
  /** @type {Column[]} */
  const found = [];
  for (const part of text.split(",")) {
    const [id, ...more] = part.split(":");
    if (!there.has(id) || found.some((column) => column.id === id)) continue;
    found.push({ id, ...Object.assign({}, ...more.map(detail)) });
  }
  return found.length ? found : usual(known, width);
}

/** @param {string} text @returns {Partial<Column>} */
function detail(text) {
  if (text in SIDES) return { pin: SIDES[/** @type {"l" | "r"} */ (text)] };
  return /^\d{1,4}$/.test(text) ? { width: Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, Number(text))) } : {};
}

/** As the address has them; empty when they are the usual ones. @param {Column[]} columns @param {Known[]} known @param {number} width */
export function formatColumns(columns, known, width) {
  const text = columns.map(({ id, width: own, pin }) => [id, own && Math.round(own), pin && pin[0]].filter(Boolean).join(":")).join(",");
  return text === usual(known, width).map(({ id }) => id).join(",") ? "" : text;
}

/** With a column, or without it; a new one goes where it usually stands. @param {Column[]} columns @param {string} id @param {Known[]} known
 * @returns {Column[]} */
export function toggled(columns, id, known) {
  if (columns.some((column) => column.id === id)) return columns.length > 1 ? columns.filter((column) => column.id !== id) : columns;
  const order = known.map((column) => column.id);
  const before = columns.filter((column) => order.indexOf(column.id) < order.indexOf(id)).at(-1);
  const at = before ? columns.indexOf(before) + 1 : 0;
  return [...columns.slice(0, at), { id }, ...columns.slice(at)];
}

/** With one column moved to the place of another one. @param {Column[]} columns @param {string} id @param {string} to @returns {Column[]} */
export function moved(columns, id, to) {
  const target = columns.findIndex((column) => column.id === to);
  const one = columns.find((column) => column.id === id);
  if (!one || target < 0) return columns;
  const rest = columns.filter((column) => column !== one);
  return [...rest.slice(0, target), one, ...rest.slice(target)];
}

/** @param {Column[]} columns @param {string} id @returns {Column[]} */
export const pinned = (columns, id) => columns.map((column) => {
  if (column.id !== id) return column;
  const { pin, ...free } = column;
  return pin ? free : { ...free, pin: "left" };
});

/** What AG Grid is to show. @param {Column[]} columns @param {any[]} definitions all columns @returns {any[]} in their order, the others hidden */
export function stateOf(columns, definitions) {
  const at = new Map(columns.map((column, index) => [column.id, index]));
  const place = (/** @type {any} */ { colId }) => (colId === "menu" ? columns.length : (at.get(colId) ?? columns.length + 1));
  const fixed = { colId: "ag-Grid-SelectionColumn", hide: false, pinned: columns.some(({ pin }) => pin === "left") ? "left" : null };
  const others = [...definitions].sort((a, b) => place(a) - place(b)).map((definition) => {
    const column = columns[at.get(definition.colId) ?? -1];
    const shown = column || definition.colId === "menu";
    return { colId: definition.colId, hide: !shown, pinned: column?.pin ?? null, width: column?.width ?? definition.width, flex: column?.width ? null : (definition.flex ?? null) };
  });
  return [fixed, ...others];
}

/** What AG Grid shows after somebody moved or widened a column. @param {any[]} state its columns @param {Column[]} before
 * @param {string | null} widened the column whose width was changed @returns {Column[]} */
export function columnsOf(state, before, widened) {
  const known = new Map(before.map((column) => [column.id, column]));
  return state.filter(({ colId, hide }) => !hide && colId !== "menu" && !colId.startsWith("ag-Grid")).map(({ colId, width, pinned: side }) => {
    const own = colId === widened ? width : known.get(colId)?.width;
    return { id: colId, ...(own ? { width: Math.round(own) } : {}), ...(side ? { pin: side === "right" ? "right" : "left" } : {}) };
  });
}
