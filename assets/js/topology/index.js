import { register } from "../views.js";
import { topology } from "./view.js";

register("topology", topology);
