// The views of one execution that need no library.
import { register } from "../views.js";
import { executionHeader } from "./header.js";
import { overview } from "./overview.js";

register("execution-header", executionHeader);
register("overview", overview);
