// The page's entry: one connection, and the views that look through it.
import { io } from "/vendor/socket.io.js";

import "./frame/index.js";
import { Live } from "./live/socket.js";
import { register, startViews } from "./views.js";

export { register };

/** Modules that register views; each is fetched at once and mounts when it is there. */
const MODULES = [
  "./executions/index.js",
  "./execution/index.js",
  "./gantt/index.js",
  "./logs/index.js",
  "./topology/index.js",
  "./flows/index.js",
  "./forms/index.js",
  "./operations/index.js",
];

/** What others may hook into: `painted` is called with {topic, cursor, at} after each frame's paint, `at` in the server's time. */
const page = (window.watchfloor ??= { painted: [] });
page.painted ??= [];

const socket = io("/live", { autoConnect: false, reconnection: false, transports: ["websocket", "polling"], tryAllTransports: true });
const live = new Live(/** @type {any} */ (socket), {
  painted: (painted) => page.painted.forEach((listener) => listener(painted)),
  signedOut: () => location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`),
});
page.live = live;
page.register = register;

for (const path of MODULES) import(path).catch((error) => console.error(`module ${path}:`, error));
startViews(live);
live.start();
window.addEventListener("online", () => live.hurry());
document.addEventListener("visibilitychange", () => document.hidden || live.hurry());
