// Speaks the Open Inference Protocol to a running server with fetch, as a web page or a Node program would.
//
//     node tests/clients/fetch_check.mjs http://HOST:PORT MODEL PHOTO
//
// PHOTO is a PNG or JPEG. Ends with "ok", or with the assertion that failed.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

const [address, model, photoPath] = process.argv.slice(2);
const photo = await readFile(photoPath);
const infer = `${address}/v2/models/${model}/infer`;

async function ask(url, options) {
  const response = await fetch(url, options);
  const body = Buffer.from(await response.arrayBuffer());
  const length = response.headers.get("inference-header-content-length");
  const json = JSON.parse(body.subarray(0, length ?? body.length).toString());
  return { status: response.status, json, binary: length === null ? null : body.subarray(Number(length)) };
}

/** The labels of an answer, binary or not. fetch decompresses by itself, and asks for gzip unless told otherwise. */
function labelsOf({ status, json, binary }) {
  assert.equal(status, 200, JSON.stringify(json));
  let at = 0;
  for (const output of json.outputs) {
    const size = output.parameters?.binary_data_size;
    if (output.name === "labels") return size === undefined ? output.data : [...binary.subarray(at, at + size)];
    at += size ?? 0;
  }
  assert.fail("no labels");
}

for (const path of ["health/live", "health/ready", `models/${model}/ready`]) assert.equal((await ask(`${address}/v2/${path}`)).status, 200);
const metadata = (await ask(`${address}/v2/models/${model}`)).json;
assert.deepEqual(metadata.inputs, [{ name: "image", datatype: "BYTES", shape: [-1] }]);

const labels = labelsOf(await ask(infer, { method: "POST", body: photo, headers: { "Inference-Header-Content-Length": "0" } }));
assert.ok(labels.length > 0);

const inputs = [{ name: "image", datatype: "BYTES", shape: [1], data: [photo.toString("base64")] }];
const outputs = [{ name: "labels" }];
const json = { "Content-Type": "application/json" };
assert.deepEqual(labelsOf(await ask(infer, { method: "POST", headers: json, body: JSON.stringify({ inputs, outputs }) })), labels);
assert.deepEqual(
  labelsOf(await ask(infer, { method: "POST", headers: json, body: JSON.stringify({ inputs, parameters: { binary_data_output: true } }) })), labels);

const prefix = Buffer.alloc(4);
prefix.writeUInt32LE(photo.length);
const header = Buffer.from(JSON.stringify({
  id: "7", outputs,
  inputs: [{ name: "image", datatype: "BYTES", shape: [1], parameters: { binary_data_size: photo.length + 4 } }],
}));
const binary = await ask(infer, {
  method: "POST", body: Buffer.concat([header, prefix, photo]), headers: { "Inference-Header-Content-Length": String(header.length) },
});
assert.equal(binary.json.id, "7");
assert.deepEqual(labelsOf(binary), labels);

// A stream has no length, so fetch sends it in chunks.
const stream = new Blob([photo]).stream();
assert.deepEqual(
  labelsOf(await ask(infer, { method: "POST", body: stream, duplex: "half", headers: { "Inference-Header-Content-Length": "0" } })), labels);

const refusal = await ask(infer, { method: "POST", headers: json, body: "{}" });
assert.equal(refusal.status, 400);
assert.match(refusal.json.error, /inputs/);
console.log("ok");
