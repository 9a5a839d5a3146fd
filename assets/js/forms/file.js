// View `file-field`: beside the text of a FILE input, the button that uploads one and writes its address there.
// Params: {field, go, max, description}: ids of the field and of the button that sends its form; bytes; the field's hint.
import { h, setProps } from "../dom.js";
import { bytes } from "../format.js";
import { send } from "./upload.js";

/** @typedef {{field: any, go: string, max: number, description: string | null}} Params */

/** @param {HTMLElement} element @param {Params} params */
export function fileField(element, params) {
  const { field, go, max, description } = params;
  const leaving = new AbortController();
  const picker = h("input", { type: "file", class: "wf-file-picker", "aria-label": "File to upload", tabindex: "-1" });
  const button = h("button", { type: "button", class: "wf-file-button" }, "Choose file");

  /** @param {string} said */
  const told = (said) => [description, said].filter(Boolean).join(" · ");

  /** @param {File} file */
  async function upload(file) {
    button.disabled = true;
    setProps(go, { disabled: true });
    setProps(field, { error: null, value: "", description: told(`${file.name}: 0 %`) });
    const progress = (/** @type {number} */ share) =>
      setProps(field, { description: told(`${file.name}: ${Math.floor(share * 100)} %`) });
    try {
      const uri = await send(file, { max, progress, signal: leaving.signal });
      setProps(field, { value: uri, description: told(`${file.name}, ${bytes(file.size)}`) });
    } catch (error) {
      setProps(field, { error: /** @type {Error} */ (error).message, description });
    }
    button.disabled = false;
    setProps(go, { disabled: false });
  }

  button.addEventListener("click", () => picker.click());
  picker.addEventListener("change", () => {
    const file = picker.files?.[0];
    if (file) void upload(file);
    picker.value = ""; // so that choosing the same file again is a change
  });
  element.replaceChildren(picker, button);
  return {
    unmount() {
      leaving.abort();
      setProps(go, { disabled: false });
    },
  };
}
