// The frame's views.
import { register } from "../views.js";
import { again } from "./again.js";
import { lamp } from "./lamp.js";
import { listenToPalette } from "./palette.js";
import { railViews } from "./railviews.js";
import { watchTitle } from "./title.js";

register("again", again);
register("lamp", lamp);
register("rail-views", railViews);
watchTitle();
listenToPalette();
