// What lines are asked for: as parameters of the REST API and of the live topic.

/** @typedef {{level?: string, task?: string, taskRun?: string, attempt?: number}} Filters */

export const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];

/** @param {Filters} filters @param {{[name: string]: string | number | undefined}} [more] @returns {URLSearchParams} */
export function restQuery({ level, task, taskRun, attempt }, more = {}) {
  const query = new URLSearchParams();
  const all = { minLevel: level === LEVELS[0] ? undefined : level, taskId: task, taskRunId: taskRun, attempt, ...more };
  for (const [name, value] of Object.entries(all)) if (value !== undefined && value !== "") query.set(name, String(value));
  return query;
}

/** @param {string} id @param {Filters} filters */
export function topicParams(id, { level, task, taskRun, attempt }) {
  /** @type {{[name: string]: any}} */
  const params = { execution_id: id, min_level: level ?? LEVELS[0] };
  if (task) params.task_id = task;
  if (taskRun) params.task_run_id = taskRun;
  if (attempt) params.attempt = attempt;
  return params;
}

/** @param {string} id @param {string} what window, hits, groups, place, download @param {URLSearchParams} query */
export function logsAddress(id, what, query) {
  const text = query.toString();
  return `/api/v1/main/logs/${encodeURIComponent(id)}/${what}${text && `?${text}`}`;
}

/** @param {string} address @returns {Promise<any>} throws with the server's message when it refuses */
export async function fetchJson(address) {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (answer.ok) return answer.json();
  const message = await answer.json().then((body) => body.message, () => "");
  throw new Error(message || `the server answered ${answer.status}`);
}
