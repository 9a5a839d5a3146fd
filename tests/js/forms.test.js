import assert from "node:assert/strict";
import { test } from "node:test";

import { BROKEN, answered, send } from "../../assets/js/forms/upload.js";

/** A request that does what a test says. */
class Call extends EventTarget {
  upload = new EventTarget();
  status = 0;
  responseText = "";
  /** @type {any[]} */ said = [];

  /** @param {...any} what */
  open(...what) {
    this.said.push(what);
  }

  /** @param {any} file */
  send(file) {
    this.said.push(file);
  }

  abort() {
    this.said.push("abort");
  }

  /** @param {number} status @param {string} text */
  load(status, text) {
    Object.assign(this, { status, responseText: text });
    this.dispatchEvent(new Event("load"));
  }
}

/** @param {Partial<import("../../assets/js/forms/upload.js").Options>} [more] @returns {any} */
function sending(more = {}) {
  const call = new Call();
  const file = new File(["abc"], "a b.csv");
  /** @type {number[]} */ const shares = [];
  const done = send(file, { max: 100, progress: (share) => shares.push(share), request: () => /** @type {any} */ (call), ...more });
  return { call, file, shares, done };
}

test("the file goes to its name, and its address comes back", async () => {
  const { call, file, shares, done } = sending();
  call.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded: 1, total: 4 }));
  call.load(200, '{"uri": "file:///x/a_b.csv"}');
  assert.equal(await done, "file:///x/a_b.csv");
  assert.deepEqual(call.said, [["PUT", "/uploads/a%20b.csv"], file]);
  assert.deepEqual(shares, [0.25]);
});

test("a refusal is told in the server's words", async () => {
  const { call, done } = sending();
  call.load(413, '{"message": "Files of at most 10 bytes are taken."}');
  await assert.rejects(done, /Files of at most 10 bytes are taken\./);
  assert.throws(() => answered(401, "The session has ended: sign in again.\n"), /The session has ended: sign in again\./);
  assert.throws(() => answered(500, ""), /The server answered 500\./);
});

test("a connection that breaks is told", async () => {
  const { call, done } = sending();
  call.dispatchEvent(new Event("error"));
  await assert.rejects(done, { message: BROKEN });
});

test("a file that is too large is not sent", async () => {
  const { call, done } = sending({ max: 2 });
  await assert.rejects(done, /a b\.csv has 3 B; at most 2 B are taken\./);
  assert.deepEqual(call.said, []);
});

test("leaving the form ends the upload", () => {
  const leaving = new AbortController();
  const { call } = sending({ signal: leaving.signal });
  leaving.abort();
  assert.equal(call.said.at(-1), "abort");
});
