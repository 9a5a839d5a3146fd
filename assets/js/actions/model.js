// Which actions there are for what is looked at, and why some can't be done: from the server's one table. Values in, values out.

/**
 * @typedef {{action: string, title: string, allowed: string[], insisted?: string[], least: string, permits: string, danger?: boolean, bulk?: boolean,
 *   form?: boolean, quick?: boolean, icon: string, group: number | null, primary?: string[], key?: string | null, task?: TaskSide | null}} ActionInfo
 *   `insisted`: states in which it works too once its dialog is told so; `least`: the role it needs, `permits`: in words what that role lets do; `primary`: states in which its button stands in the
 *   header; `quick`: a button of each row; `group`: menus draw a line between two, null for what is only done to task runs
 * @typedef {{title: string, execution: string[], run: string[]}} TaskSide what it does to one task run: works when the execution
 *   is in one of `execution` or the task run in one of `run`
 * @typedef {{actions?: ActionInfo[], role?: string | null, grants?: {[namespace: string]: string}}} Config
 * @typedef {{state?: string, namespace?: string, gone?: boolean}} Seen an execution as the page knows it
 * @typedef {{info: ActionInfo, title: string, why: string | null}} Entry `why` it can't be done now, null when it can
 */

const RANKS = ["none", "viewer", "operator", "admin"];
/** @param {string | null | undefined} role */
const rank = (role) => Math.max(0, RANKS.indexOf(role ?? "none"));
/** @param {string} above @param {string} namespace */
const covers = (above, namespace) => namespace === above || namespace.startsWith(`${above}.`);

/** The role somebody has in a namespace; without one: the best they have anywhere. The server's rule, so that what it would refuse
 * is greyed. @param {Config} config @param {string} [namespace] */
export function roleIn({ role, grants = {} }, namespace) {
  const granted = Object.entries(grants).filter(([above]) => namespace === undefined || covers(above, namespace));
  return RANKS[Math.max(rank(role), ...granted.map(([, one]) => rank(one)))];
}

/** Why the signed-in user may not; null when they may. @param {ActionInfo} info @param {Config} config @param {string} [namespace] */
export function forbidden(info, config, namespace) {
  const role = roleIn(config, namespace);
  if (rank(role) >= rank(info.least)) return null;
  const where = namespace === undefined ? "" : ` in ${namespace}`;
  return `To ${info.permits[0].toLowerCase()}${info.permits.slice(1)} you need the role ${info.least}${where}; yours is ${role}.`;
}

/** Why an action can't be done in a state; null when it can. The same words as the server's refusal.
 * @param {ActionInfo} info @param {string | undefined} state */
export function refusal(info, state) {
  if (!state) return "The execution is not loaded yet.";
  if (info.allowed.includes(state) || info.insisted?.includes(state)) return null;
  return `${info.title} works in ${info.allowed.join(", ")}; the execution is ${state} now.`;
}

/** @param {ActionInfo} info @param {Seen} seen @param {Config} config @returns {string | null} */
export function whyNot(info, { state, namespace, gone }, config) {
  return forbidden(info, config, namespace) ?? (gone ? "The execution was removed." : refusal(info, state));
}

/** Everything that can be asked of an execution. @param {Config} config @param {Seen} seen @returns {Entry[]} */
export function entries(config, seen) {
  return all(config).map((info) => ({ info, title: info.title, why: whyNot(info, seen, config) }));
}

/** @param {Config} config */
const all = ({ actions = [] }) => actions.filter(({ group }) => group !== null);

/** Those that have a button in each row. @param {Config} config */
export const quick = (config) => all(config).filter((info) => info.quick);

/** What one usually needs in a state: the header's buttons. @param {Config} config @param {string | undefined} state @returns {ActionInfo[]} */
export function primary(config, state) {
  return all(config).filter((info) => state && info.primary?.includes(state));
}

/** What can be asked of one task run. @param {Config} config @param {Seen} seen @param {string} run its state @returns {Entry[]} */
export function taskEntries(config, seen, run) {
  return (config.actions ?? []).flatMap((info) => {
    const { task } = info;
    return task ? [{ info, title: task.title, why: forbidden(info, config, seen.namespace) ?? taskRefusal(task, seen, run) }] : [];
  });
}

/** @param {TaskSide} task @param {Seen} seen @param {string} run */
function taskRefusal(task, { state, gone }, run) {
  if (gone) return "The execution was removed.";
  if (!state) return "The execution is not loaded yet.";
  if (task.execution.includes(state) || task.run.includes(run)) return null;
  const wanted = [
    task.execution.length && `the execution is ${task.execution.join(", ")}`,
    task.run.length && `the task run is ${task.run.join(", ")}`,
  ];
  return `${task.title} works while ${wanted.filter(Boolean).join(" or ")}; the execution is ${state}, the task run ${run} now.`;
}

/** What can be asked of many at once. `why` it works on none of those that are known. @param {Config} config @param {Seen[]} seen the
 * selected executions, empty while all that match are: their states are for the preview to say @returns {(Entry & {able: number})[]} */
export function bulkEntries(config, seen) {
  return all(config).filter(({ bulk }) => bulk).map((info) => {
    const whys = seen.map((one) => whyNot(info, one, config));
    const able = whys.filter((why) => why === null).length;
    const why = seen.length ? (able ? null : whys[0]) : forbidden(info, config);
    return { info, title: info.title, why, able };
  });
}

/** What a key asks for. @param {Config} config @param {string} key @returns {ActionInfo | undefined} */
export const ofKey = (config, key) => all(config).find((info) => info.key === key);
