// The server's API, as this page uses it.

/** What the server said it could not do, in one sentence. */
export class Refusal extends Error {}

/** {models, default}, with the colours of a palette. */
export async function fetchModels(palette) {
  return (await ask(`/v1/models?palette=${encodeURIComponent(palette)}`)).json();
}

/** Names of the sample pictures. */
export async function fetchSamples() {
  return (await ask("/samples")).json();
}

export async function fetchSample(name) {
  return (await ask(`/samples/${encodeURIComponent(name)}`)).blob();
}

/** The mask of a picture file: {png, times}, the times in milliseconds by name. */
export async function segment(picture, model, palette, signal) {
  const query = new URLSearchParams({ model, palette, format: "png" });
  const response = await ask(`/v1/segment?${query}`, {
    method: "POST",
    body: picture,
    headers: { "Content-Type": "application/octet-stream" },
    signal,
  });
  return {
    png: new Uint8Array(await response.arrayBuffer()),
    times: readTimes(response.headers.get("Server-Timing") ?? ""),
  };
}

/** A file of a picture in one of the server's formats: {blob, suffix}. */
export async function fetchFile(picture, query, signal) {
  const response = await ask(`/v1/segment?${new URLSearchParams(query)}`, {
    method: "POST",
    body: picture,
    headers: { "Content-Type": "application/octet-stream" },
    signal,
  });
  const [, suffix] = /filename="picture([^"]*)"/.exec(response.headers.get("Content-Disposition") ?? "") ?? ["", ""];
  return { blob: await response.blob(), suffix };
}

async function ask(address, request) {
  let response;
  try {
    response = await fetch(address, request);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal("The server cannot be reached. Check that it runs, then try again.");
  }
  if (!response.ok) throw new Refusal(await reason(response));
  return response;
}

async function reason(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.includes("json")) {
    const problem = await response.json();
    if (problem.detail) return problem.detail;
  }
  return `The server answered ${response.status} ${response.statusText}`.trim() + ".";
}

/** "decode;dur=3.1, network;dur=90" as {decode: 3.1, network: 90}. */
function readTimes(header) {
  const times = {};
  for (const [, name, duration] of header.matchAll(/([\w-]+);dur=([\d.]+)/g)) times[name] = Number(duration);
  return times;
}
