// The views of bulk operations.
import { register } from "../views.js";
import { operationView } from "./detail.js";
import { operationsList } from "./list.js";
import { operationProgress } from "./progress.js";

register("operations", operationsList);
register("operation", operationView);
register("operation-progress", operationProgress);
