// Sends an operation's request to this server, and shows what it answers.

import { make } from "./make.js";

const LONGEST = 20_000;

/**
 * A form for an operation of the API.
 * @param {{method: string, path: string, anchor: string}} operation
 * @param {object[]} parameters as OpenAPI has them, with their schemas
 * @param {string[]} types the media types of the body; none where there is no body
 */
export function tryOut({ method, path, anchor }, parameters, types) {
  const fields = parameters.filter((entry) => entry.in !== "header").map((entry) => fieldOf(entry, anchor));
  const body = bodyOf(types, anchor);
  const send = make("button", { type: "submit" }, "Send");
  const answer = make("div", { class: "answer", role: "status" });
  const form = make("form", { class: "try" },
    ...fields.map(({ label }) => label), body ? body.label : null, send);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    answer.replaceChildren("Sent; waiting for the answer.");
    try {
      await show(answer, await ask(method, path, fields, body));
    } catch (error) {
      answer.replaceChildren(`There was no answer (${error.message}); check that the server runs.`);
    } finally {
      send.disabled = false;
    }
  });
  return make("details", { class: "tryout" }, make("summary", {}, `Try ${method} ${path}`), form, answer);
}

function fieldOf({ name, in: place, required = false, schema }, anchor) {
  const id = `${anchor}-${name}`, attributes = { id, name, autocomplete: "off", ...(required ? { required: "" } : {}) };
  const input = schema.enum
    ? make("select", attributes, ...["", ...schema.enum.filter((value) => value !== null)].map((value) => make("option", { value }, String(value))))
    : make("input", { type: "text", placeholder: String(schema.default ?? ""), ...attributes });
  return { name, place, input, label: make("label", { for: id }, make("code", {}, name), input) };
}

/** A picture is a file, JSON is written; null where there is no body. */
function bodyOf(types, anchor) {
  if (types.length === 0) return null;
  const id = `${anchor}-body`;
  const isPicture = types.some((type) => type.startsWith("image/"));
  const input = isPicture
    ? make("input", { id, type: "file", accept: types.filter((type) => type.startsWith("image/")).join(","), required: "" })
    : make("textarea", { id, rows: "4", spellcheck: "false" }, "{}");
  return {
    label: make("label", { for: id }, isPicture ? "Picture" : "Body", input),
    content: () => isPicture ? input.files[0] : input.value,
    type: () => isPicture ? input.files[0].type || "application/octet-stream" : "application/json",
  };
}

async function ask(method, path, fields, body) {
  const query = new URLSearchParams();
  let address = path;
  for (const { name, place, input } of fields) {
    if (place === "path") address = address.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value !== "") query.append(name, input.value);
  }
  const start = performance.now();
  const response = await fetch(query.size > 0 ? `${address}?${query}` : address, {
    method, ...(body ? { body: body.content(), headers: { "Content-Type": body.type() } } : {}),
  });
  const content = await response.blob();
  return { response, content, milliseconds: performance.now() - start };
}

async function show(answer, { response, content, milliseconds }) {
  const type = content.type || response.headers.get("Content-Type") || "";
  const line = make("p", {}, make("code", {}, `${response.status} ${response.statusText}`.trim()),
    ` in ${Math.round(milliseconds)} ms, ${content.size} bytes${type ? ` of ${type}` : ""}`);
  answer.replaceChildren(line, ...(content.size === 0 ? [] : [await shown(content, type)]));
}

async function shown(content, type) {
  if (type.startsWith("image/")) {
    const bitmap = await createImageBitmap(content);
    const canvas = make("canvas", { role: "img", "aria-label": "The picture that the server answered" });
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    bitmap.close();
    return canvas;
  }
  const text = pretty(await content.text(), type);
  const more = text.length > LONGEST ? `\n... ${text.length - LONGEST} characters more` : "";
  return make("pre", { tabindex: "0", "aria-label": "The answer" }, text.slice(0, LONGEST) + more);
}

function pretty(text, type) {
  if (!type.includes("json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
