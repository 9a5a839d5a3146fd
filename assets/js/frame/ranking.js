// Which lines of the palette fit a text, the best first. Values in, values out.

/** @typedef {{title: string, group: string, detail?: string, words?: string, always?: boolean, disabled?: string | null, danger?: boolean,
 *   keys?: string, run: () => void}} Line `words`: found by them too; `always`: stands whatever is typed */

const MOST = 8; // of one group

/** How well a text fits: the lower the better, null when it does not. @param {string} title @param {string} text */
export function fit(title, text) {
  const [where, wanted] = [title.toLowerCase(), text.trim().toLowerCase()];
  if (!wanted) return 0;
  if (where.startsWith(wanted)) return 0;
  const at = where.indexOf(wanted);
  if (at >= 0) return /[\s./:-]/.test(where[at - 1]) ? 1 : 2;
  const parts = wanted.split(/\s+/);
  return parts.length > 1 && parts.every((part) => where.includes(part)) ? 3 : null;
}

/** The lines that fit, group by group in the order of the groups, in each the best first. @param {Line[]} lines @param {string} text
 * @returns {Line[]} */
export function ranked(lines, text) {
  const groups = [...new Set(lines.map(({ group }) => group))];
  const found = lines.flatMap((line) => {
    const fits = fit(line.title, text) ?? (line.words ? fit(line.words, text) : null) ?? (line.always ? 4 : null);
    return fits === null ? [] : [{ line, fits: fits + (line.disabled ? 10 : 0) }];
  });
  return groups.flatMap((group) => found.filter(({ line }) => line.group === group).sort((a, b) => a.fits - b.fits).slice(0, MOST).map(({ line }) => line));
}
