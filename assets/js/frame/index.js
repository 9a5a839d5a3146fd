// The frame's views.
import { register } from "../views.js";
import { lamp } from "./lamp.js";
import { railViews } from "./railviews.js";
import { watchTitle } from "./title.js";

register("lamp", lamp);
register("rail-views", railViews);
watchTitle();
