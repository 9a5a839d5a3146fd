// The views about flows.
import { register } from "../views.js";
import { flowStrips } from "./view.js";

register("flow-strips", flowStrips);
