// The views of forms.
import { register } from "../views.js";
import { fileField } from "./file.js";

register("file-field", fileField);
