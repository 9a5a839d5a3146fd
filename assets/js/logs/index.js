import { register } from "../views.js";
import { logs } from "./view.js";

register("logs", logs);
