// Makes /openapi/v1.json readable, and its operations something to try.

import { make } from "./make.js";
import { tryOut } from "./tryout.js";

const METHODS = ["get", "put", "post", "patch", "delete"];

/** Text whose `parts` are code. */
function prose(text) {
  const parts = text.split("`").map((part, i) => i % 2 === 1 ? make("code", {}, part) : part);
  const fragment = document.createDocumentFragment();
  fragment.append(...parts);
  return fragment;
}

class Reader {
  #document;

  constructor(document) {
    this.#document = document;
  }

  /** The operations by tag: [{tag, description, operations: [{method, path, id, ...}]}]. */
  groups() {
    const groups = new Map((this.#document.tags ?? []).map((tag) => [tag.name, { ...tag, operations: [] }]));
    for (const [path, item] of Object.entries(this.#document.paths)) {
      for (const method of METHODS.filter((name) => name in item)) {
        const operation = item[method], [tag = "Other"] = operation.tags ?? [];
        if (!groups.has(tag)) groups.set(tag, { name: tag, operations: [] });
        const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((entry) => this.#resolve(entry));
        groups.get(tag).operations.push({ ...operation, parameters, method: method.toUpperCase(), path, anchor: anchorOf(method, path) });
      }
    }
    return [...groups.values()].filter((group) => group.operations.length > 0);
  }

  article(operation) {
    const { method, path, anchor, summary = "", description = "", parameters, requestBody, responses = {} } = operation;
    return make("article", { class: "operation card", id: anchor, "aria-labelledby": `${anchor}-title` },
      make("h3", { id: `${anchor}-title` }, make("span", { class: "method" }, method), make("code", {}, path), summary),
      description && make("p", {}, prose(description)),
      parameters.length > 0 ? this.#parameters(parameters) : null,
      requestBody ? this.#body(this.#resolve(requestBody)) : null,
      this.#responses(responses),
      make("h4", {}, "With curl"),
      make("pre", { tabindex: "0", "aria-label": `curl command for ${method} ${path}` }, this.#curl(operation)),
      tryOut(operation, parameters.map((entry) => ({ ...entry, schema: this.#resolve(entry.schema ?? {}) })), this.#mediaTypes(requestBody)));
  }

  #parameters(parameters) {
    return section("Parameters", table(["Name", "Type", "What"], parameters.map((parameter) => [
      make("code", {}, parameter.name),
      this.#type(parameter.schema ?? {}) + (parameter.in === "query" ? "" : `, in the ${parameter.in}`),
      prose((parameter.description ?? "") + defaultOf(this.#resolve(parameter.schema ?? {}))),
    ])));
  }

  #body({ description = "", content = {} }) {
    return section("Body", description && make("p", {}, prose(description)), this.#contents(content));
  }

  #responses(responses) {
    return section("Answers", table(["Status", "What", "As"], Object.entries(responses).map(([status, entry]) => {
      const response = this.#resolve(entry);
      return [make("code", {}, status), prose(response.description ?? ""), this.#contents(response.content ?? {})];
    })));
  }

  #contents(content) {
    // Media types of one schema share a line.
    const bySchema = new Map();
    for (const [type, { schema = {} }] of Object.entries(content)) {
      const key = JSON.stringify(schema);
      bySchema.set(key, { schema, types: [...(bySchema.get(key)?.types ?? []), type] });
    }
    const list = document.createDocumentFragment();
    for (const { schema, types } of bySchema.values()) {
      const heading = types.flatMap((type, i) => [i > 0 ? ", " : "", make("code", {}, type)]);
      const fields = this.#fields(schema);
      list.append(make("div", {}, ...heading, fields.length > 0 ? this.#details(schema, fields) : ""));
    }
    return list;
  }

  #details(schema, fields) {
    return make("details", {}, make("summary", {}, this.#type(schema)), table(["Field", "Type", "What"], fields));
  }

  /** Rows for the fields of an object, those of inner objects included. */
  #fields(schema, prefix = "", seen = []) {
    const object = this.#resolve(schema);
    if (object.type === "array" || object.items) return this.#fields(object.items ?? {}, prefix + "[]", seen);
    if (!object.properties || seen.includes(object)) return [];
    return Object.entries(object.properties).flatMap(([name, property]) => {
      const path = prefix ? `${prefix}.${name}` : name;
      const row = [make("code", {}, path), this.#type(property), prose(property.description ?? this.#resolve(property).description ?? "")];
      return [row, ...this.#fields(property, path, [...seen, object])];
    });
  }

  #type(schema) {
    if (schema.$ref && !this.#resolve(schema).enum) return schema.$ref.split("/").at(-1);
    if (schema.$ref) return this.#type(this.#resolve(schema));
    const variants = schema.oneOf ?? schema.anyOf;
    if (variants) return variants.map((variant) => this.#type(variant)).filter((name) => name !== "null").join(" or ");
    if (schema.enum) return schema.enum.map((value) => value ?? "null").join(" | ");
    const types = [schema.type ?? "any"].flat().filter((type) => type !== "null");
    // A pattern beside a number only says how it is written.
    const name = types.includes("integer") ? "integer" : types.includes("number") ? "number" : types.join(" or ");
    if (name === "array") return `${this.#type(schema.items ?? {})}[]`;
    return schema.format === "binary" ? "bytes" : name + rangeOf(schema);
  }

  #curl({ method, path, parameters, requestBody }) {
    const needed = parameters.filter((parameter) => parameter.in === "query" && parameter.required);
    const query = needed.map((parameter) => `${parameter.name}=...`).join("&");
    const types = this.#mediaTypes(requestBody);
    const picture = types.some((type) => type.startsWith("image/") || type === "application/octet-stream");
    const body = types.length === 0 ? "" : picture ? " --data-binary @photo.jpg" : " -H 'Content-Type: application/json' -d '{}'";
    const verb = method === "GET" || body ? "" : ` -X ${method}`;
    return `curl${verb}${body} '${location.origin}${path}${query ? `?${query}` : ""}'`;
  }

  #mediaTypes(requestBody) {
    return Object.keys(requestBody ? this.#resolve(requestBody).content ?? {} : {});
  }

  #resolve(entry) {
    if (!entry.$ref) return entry;
    return entry.$ref.slice(2).split("/").reduce((node, key) => node[key.replaceAll("~1", "/").replaceAll("~0", "~")], this.#document);
  }
}

function anchorOf(method, path) {
  return `${method}${path}`.replaceAll(/[^A-Za-z0-9]+/g, "-").replace(/-$/, "");
}

function rangeOf({ minimum, maximum }) {
  if (minimum === undefined && maximum === undefined) return "";
  return maximum === undefined ? ` from ${minimum}` : ` ${minimum ?? ""} to ${maximum}`;
}

function defaultOf(schema) {
  return schema.default === undefined ? "" : ` Default: \`${schema.default}\`.`;
}

function section(title, ...children) {
  const fragment = document.createDocumentFragment();
  fragment.append(make("h4", {}, title), ...children.filter(Boolean));
  return fragment;
}

function table(heads, rows) {
  return make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell)))))));
}

async function show() {
  const response = await fetch("/openapi/v1.json");
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  const description = await response.json();
  const reader = new Reader(description);
  document.getElementById("introduction").append(prose(description.info.description ?? ""));
  for (const group of reader.groups()) {
    document.getElementById("contents").append(
      make("h2", {}, group.name),
      make("ul", {}, ...group.operations.map(({ anchor, method, path }) =>
        make("li", {}, make("a", { href: `#${anchor}` }, `${method} `, path)))));
    document.getElementById("operations").append(
      make("h2", {}, group.name),
      ...(group.description ? [make("p", { class: "soft" }, prose(group.description))] : []),
      ...group.operations.map((operation) => reader.article(operation)));
  }
}

try {
  await show();
} catch (error) {
  const box = document.getElementById("error");
  box.textContent = `The API's description cannot be read (${error.message}); reload the page.`;
  box.hidden = false;
}
document.documentElement.dataset.ready = "true";
if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
