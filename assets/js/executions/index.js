// The list's views.
import { register } from "../views.js";
import { FilterBar } from "./bar.js";
import { ExportButton } from "./export.js";
import { Table } from "./table.js";
import { ViewMenu } from "./viewmenu.js";

register("executions-table", (element, params, live) => new Table(element, params, live));
register("filter-bar", (element, params) => new FilterBar(element, params));
register("executions-export", (element, params) => new ExportButton(element, params));
register("view-menu", (element) => new ViewMenu(element));
