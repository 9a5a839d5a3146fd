import { register } from "../views.js";
import { gantt } from "./view.js";

register("gantt", gantt);
