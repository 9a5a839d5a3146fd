// Sends one file to the server, which keeps it and says its address.
import { bytes } from "../format.js";

/**
 * @typedef {{name: string, size: number}} Sized
 * @typedef {{max: number, progress: (share: number) => void, signal?: AbortSignal, request?: () => XMLHttpRequest}} Options
 */

export const BROKEN = "The connection broke before the file was there. Choose it again.";

/** What the server said: its address of the file, or why it took none. @param {number} status @param {string} text */
export function answered(status, text) {
  let said;
  try {
    said = JSON.parse(text);
  } catch {
    said = { message: text.trim() };
  }
  if (status === 200 && said.uri) return String(said.uri);
  throw new Error(said.message || `The server answered ${status}.`);
}

/**
 * The address of the file once it is kept; rejects with an error for people.
 * @param {File} file @param {Options} options
 * @returns {Promise<string>}
 */
export function send(file, { max, progress, signal, request = () => new XMLHttpRequest() }) {
  if (file.size > max) return Promise.reject(new Error(`${file.name} has ${bytes(file.size)}; at most ${bytes(max)} are taken.`));
  return new Promise((resolve, reject) => {
    const call = request();
    call.upload.addEventListener("progress", (event) => progress(event.total ? event.loaded / event.total : 1));
    call.addEventListener("error", () => reject(new Error(BROKEN)));
    call.addEventListener("load", () => {
      try {
        resolve(answered(call.status, call.responseText));
      } catch (error) {
        reject(error);
      }
    });
    signal?.addEventListener("abort", () => call.abort());
    call.open("PUT", `/uploads/${encodeURIComponent(file.name)}`);
    call.send(file);
  });
}
