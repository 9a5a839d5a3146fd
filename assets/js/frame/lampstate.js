// What the lamp says. Values in, values out.
import { clock } from "../format.js";

/** @typedef {import("../live/types.js").Status} Status */

/** @param {number | null} ms how long from an event to the screen, the newest one */
function age(ms) {
  if (ms === null) return "";
  if (ms < 1_000) return `${ms} ms`;
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min`;
}

/** @type {{[phase: string]: (status: Status, local: number) => string}} */
const WORDS = {
  connecting: () => "connecting",
  live: () => "live",
  catching_up: () => "catching up",
  reconnecting: (status, local) => `reconnecting in ${Math.max(0, Math.ceil(((status.next_at ?? local) - local) / 1_000))} s`,
  stale: (status) => `stale since ${clock(status.since)}`,
};

/**
 * @param {Status} status @param {number} local ms of this computer's clock
 * @returns {{word: string, age: string, problems: string, notes: string, title: string}}
 */
export function lampText(status, local) {
  const word = WORDS[status.phase](status, local);
  const aged = status.phase === "live" || status.phase === "catching_up" ? age(status.age_ms) : "";
  const problems = status.problems.join(" · ");
  const notes = status.notes.join(" · ");
  const lines = [
    aged && `The newest event was on the screen ${aged} after it was accepted.`,
    status.phase === "stale" && "What you see is not confirmed since then; it goes on by itself.",
    problems,
    notes,
  ];
  return { word, age: aged, problems, notes, title: lines.filter(Boolean).join("\n") };
}
