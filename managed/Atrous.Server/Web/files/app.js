// The page: a picture goes to the server, its mask comes back once, and everything after that happens here.

import { countClasses, readLabels } from "./labels.js";
import { Legend, percent } from "./legend.js";
import { Probe } from "./probe.js";
import { fetchFile, fetchModels, fetchSample, fetchSamples, Refusal, segment } from "./server.js";
import { Viewer } from "./viewer.js";

const at = (id) => document.getElementById(id);
const viewer = new Viewer();
const legend = new Legend((hidden) => { viewer.hidden = hidden; }, (label) => { viewer.highlighted = label; });
const probe = new Probe(viewer, describe, (label) => { legend.current = label; }, (text) => { at("spoken").textContent = text; });

/** The server's models by name, with the colours of the chosen palette. */
let models = new Map();
/** What a request may cost: {bodyBytes, pixels}. */
let limits = null;
/** The picture on show: {file, name}, and once there is a mask {model, png, report}. */
let shown = null;
let running = null;
/** The promise of the first list of models, which whatever shows a mask waits for. */
let known = null;

async function loadModels() {
  const answer = await fetchModels(at("palette").value);
  models = new Map(answer.models.map((model) => [model.name, model]));
  limits = answer.limits;
  return answer.default;
}

/** Waits for the models, their names and limits; asks again where asking failed before. */
function knowModels() {
  known ??= loadModels().then(fillModels).catch((error) => {
    known = null;
    throw error;
  });
  return known;
}

function describe(label) {
  return models.get(shown?.model)?.classes[label] ?? { name: `class ${label}`, colour: "#808080" };
}

function coloursOf(classes) {
  return new Map(classes.map(({ index }) => [index, describe(index).colour]));
}

function fillModels(chosen) {
  at("model").replaceChildren(...[...models.keys()].map((name) => new Option(name, name, false, name === chosen)));
  at("model-choice").hidden = models.size < 2;
  nameModel();
}

function nameModel() {
  const model = models.get(at("model").value);
  if (!model) return;
  const network = [model.architecture, model.backbone, model.device, model.precision].filter(Boolean).join(", ");
  at("model-name").textContent = models.size > 1 ? network : [model.name, network].filter(Boolean).join(": ");
}

/** Runs one job at a time: a new one ends the one before it. */
async function work(job) {
  running?.abort();
  const own = new AbortController();
  running = own;
  showError("");
  try {
    await job(own.signal);
  } catch (error) {
    if (!own.signal.aborted) fail(error);
  } finally {
    if (running === own) setBusy(false);
  }
}

const open = (file, name) => work(async (signal) => {
  setBusy(true, "Reading the picture");
  await knowModels();
  if (signal.aborted) return;
  const bitmap = await readPicture(file);
  if (signal.aborted) return;
  shown = { file, name };
  showPhoto(bitmap);
  await run(signal);
});

/** Segments the picture on show with another model. */
const again = () => work(async (signal) => {
  viewer.clearMask();
  hideResult();
  await run(signal);
});

async function readPicture(file) {
  if (file.size > limits?.bodyBytes) {
    throw new Refusal(`The file has ${megabytes(file.size)} MB; this server takes at most ${megabytes(limits.bodyBytes)}. Scale the picture down.`);
  }
  const bitmap = await decode(file);
  if (bitmap.width * bitmap.height > limits?.pixels) {
    throw new Refusal(`The picture has ${bitmap.width} × ${bitmap.height} pixels; this server takes at most ${limits.pixels}. Scale it down.`);
  }
  return bitmap;
}

async function decode(file) {
  try {
    // Upright, as the server has it.
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Refusal("This is no picture that can be shown; choose a JPEG, PNG, WebP, GIF or BMP.");
  }
}

function megabytes(bytes) {
  return (bytes / 1048576).toFixed(1);
}

function showPhoto(bitmap) {
  viewer.showPhoto(bitmap);
  bitmap.close();
  at("invitation").hidden = true;
  at("frame").hidden = false;
  hideResult();
}

function hideResult() {
  probe.clear();
  at("frame").setAttribute("aria-label", `${shown.name}, not yet segmented`);
  at("status").textContent = "";
  at("times-card").hidden = true;
  at("save-card").hidden = true;
  legend.show([]);
}

async function run(signal) {
  setBusy(true, "Segmenting");
  const model = at("model").value;
  const start = performance.now();
  const { png, times } = await segment(shown.file, model, at("palette").value, signal);
  const roundTrip = performance.now() - start;
  const mask = await readLabels(png);
  // Of a model that was still being loaded when the page was, names and colours are not known yet.
  if (!models.get(model)?.classes.length) await loadModels();
  if (signal.aborted) return;
  showMask(model, mask, png);
  shown.report.milliseconds = times;
  showTimes(times, roundTrip);
  at("status").textContent = `${shown.name}, ${mask.width} × ${mask.height}, in ${Math.round(roundTrip)} ms: ${largest()}`;
  await askConfidence(signal);
}

function showMask(model, mask, png) {
  const { width, height } = mask;
  if (width !== viewer.canvas.width || height !== viewer.canvas.height) {
    throw new Refusal("The mask does not fit the picture; save the picture upright and try again.");
  }
  shown.model = model;
  shown.png = png;
  const classes = countClasses(mask.labels).map((entry) => ({ ...entry, ...describe(entry.index) }));
  shown.report = { model, device: models.get(model)?.device, width, height, classes };
  viewer.showMask(mask, coloursOf(classes));
  legend.show(classes);
  at("frame").setAttribute("aria-label", `${shown.name} with its mask: ${largest()}`);
  at("times-card").hidden = false;
  at("save-card").hidden = false;
}

function largest() {
  return shown.report.classes.slice(0, 4).map(({ name, share }) => `${name} ${percent(share)}`).join(", ");
}

const TIME_NAMES = {
  queue: "Waiting", decode: "Decoding", preprocess: "Preparing", network: "Network", postprocess: "Labelling", encode: "Encoding",
};

function showTimes(times, roundTrip) {
  const rows = Object.entries(TIME_NAMES).filter(([name]) => name in times).map(([name, text]) => [text, times[name]]);
  at("times").replaceChildren(...[...rows, ["Round trip", roundTrip]].flatMap(([text, milliseconds], i) => {
    const term = document.createElement("dt"), value = document.createElement("dd");
    term.textContent = text;
    value.textContent = `${milliseconds < 9.95 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
    if (i === rows.length) [term, value].forEach((part) => part.classList.add("sum"));
    return [term, value];
  }));
}

function fail(error) {
  if (!(error instanceof Refusal)) console.error(error);
  at("status").textContent = "";
  showError(error instanceof Refusal ? error.message : `Something went wrong in this page (${error.message}); reload it.`);
}

function showError(text) {
  at("error").textContent = text;
  at("error").hidden = text === "";
}

function setBusy(busy, text = "") {
  at("busy").hidden = !busy;
  at("busy-text").textContent = text;
  at("cancel").hidden = !busy;
  at("viewport").classList.toggle("waiting", busy);
  at("viewport").ariaBusy = String(busy);
}

function cancel() {
  running?.abort();
  running = null;
  setBusy(false);
  at("status").textContent = "Cancelled.";
}

function save(blob, suffix) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = shown.name.replace(/\.[^.]*$/, "") + suffix;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function showSamples() {
  const names = await fetchSamples();
  at("samples").hidden = names.length === 0;
  at("samples").replaceChildren(...names.map((name) => {
    const button = document.createElement("button"), image = new Image();
    button.type = "button";
    button.className = "sample";
    image.src = `/samples/${encodeURIComponent(name)}`;
    image.alt = "";
    button.append(image, name.replace(/\.[^.]*$/, "").replace("-", " "));
    button.addEventListener("click", async () => {
      try {
        await open(await fetchSample(name), name);
      } catch (error) {
        fail(error);
      }
    });
    return button;
  }));
}

function listen() {
  at("file").addEventListener("change", () => {
    const [file] = at("file").files;
    if (file) open(file, file.name);
    at("file").value = "";
  });
  at("cancel").addEventListener("click", cancel);
  at("opacity").addEventListener("input", setOpacity);
  at("outlines").addEventListener("change", () => { viewer.outlined = at("outlines").checked; });
  at("palette").addEventListener("change", recolour);
  at("model").addEventListener("change", () => {
    nameModel();
    if (shown) again();
  });
  at("save-mask").addEventListener("click", () => save(new Blob([shown.png], { type: "image/png" }), ".mask.png"));
  at("save-overlay").addEventListener("click", async () => save(await viewer.overlay(), ".overlay.png"));
  at("save-json").addEventListener("click", () =>
    save(new Blob([JSON.stringify(shown.report, null, 2)], { type: "application/json" }), ".json"));
  at("save-file").addEventListener("click", saveFile);
  at("compare").addEventListener("input", setCompared);
  at("sure").addEventListener("change", () => {
    viewer.confidence = null;
    if (shown?.report) work(askConfidence);
  });
  listenForPictures();
}

function listenForPictures() {
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) open(file, file.name || "pasted.png");
  });
  let depth = 0;
  const dropping = (change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0);
  };
  document.addEventListener("dragenter", (event) => {
    event.preventDefault();
    dropping(1);
  });
  document.addEventListener("dragleave", () => dropping(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    dropping(-depth);
    const [file] = event.dataTransfer.files;
    if (file) open(file, file.name);
    else showError("That was no file; drop a picture file.");
  });
}

/** Asks the server for the confidence of the picture on show, where somebody wants to see it. */
async function askConfidence(signal) {
  if (!at("sure").checked || !shown?.report) return;
  setBusy(true, "Asking how sure the model is");
  const { blob } = await fetchFile(shown.file, { model: shown.model, format: "confidence8" }, signal);
  const confidence = await readLabels(new Uint8Array(await blob.arrayBuffer()));
  if (!signal.aborted) viewer.confidence = confidence;
}

const saveFile = () => work(async (signal) => {
  setBusy(true, "Making the file");
  const query = {
    model: shown.model, palette: at("palette").value, format: at("save-format").value, name: shown.name,
    opacity: Number(at("opacity").value) / 100,
  };
  const seen = shown.report.classes.filter(({ index }) => !legend.hidden.has(index)).map(({ index }) => index);
  if (seen.length === 0) throw new Refusal("No class is shown; switch one on in the legend.");
  query.only = seen.join(",");
  const { blob, suffix } = await fetchFile(shown.file, query, signal);
  if (!signal.aborted) save(blob, suffix);
});

function setCompared() {
  const percentage = Number(at("compare").value);
  viewer.compared = percentage / 100;
  at("compare-value").textContent = `${percentage} %`;
  at("compare").setAttribute("aria-valuetext", `${percentage} percent`);
}

function setOpacity() {
  const percentage = Number(at("opacity").value);
  viewer.opacity = percentage / 100;
  at("opacity-value").textContent = `${percentage} %`;
  at("opacity").setAttribute("aria-valuetext", `${percentage} percent`);
}

async function recolour() {
  try {
    await loadModels();
  } catch (error) {
    fail(error);
    return;
  }
  if (!shown?.report) return;
  for (const entry of shown.report.classes) entry.colour = describe(entry.index).colour;
  const colours = coloursOf(shown.report.classes);
  viewer.colours = colours;
  legend.colours = colours;
}

listen();
setOpacity();
try {
  await knowModels();
  await showSamples();
} catch (error) {
  fail(error);
}
document.documentElement.dataset.ready = "true";
