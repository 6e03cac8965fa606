// The page: a picture goes to the server, its mask comes back once, and everything after that happens here.

import { countClasses, readLabels } from "./labels.js";
import { Legend, percent } from "./legend.js";
import { Probe } from "./probe.js";
import { Queue } from "./queue.js";
import { fetchFile, fetchModels, fetchSample, fetchSamples, Refusal, segment } from "./server.js";
import { Viewer } from "./viewer.js";

const at = (id) => document.getElementById(id);
const viewer = new Viewer();
const legend = new Legend((hidden) => { viewer.hidden = hidden; }, (label) => { viewer.highlighted = label; });
const probe = new Probe(viewer, describe, (label) => { legend.current = label; }, (text) => { at("spoken").textContent = text; });
const queue = new Queue(choose, saveAll);

/** The server's models by name, with the colours of the chosen palette. */
let models = new Map();
/** What a request may cost: {bodyBytes, pixels}. */
let limits = null;
/** The pictures that were chosen together, each {file, name}, and once there is a mask {model, png, report, summary}. */
let pictures = [];
/** The one of them that is on show, and the one that was taken from the list last. */
let shown = null;
let chosen = null;
/** Whether the next one is shown when its turn comes: until somebody takes another from the list. */
let follows = true;
let running = null;
/** The picture that is at the server, and what the page says meanwhile; "" while nothing is under way. */
let current = null;
let busyText = "";
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

function describe(label, model = shown?.model) {
  return models.get(model)?.classes[label] ?? { name: `class ${label}`, colour: "#808080" };
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
    if (running === own) {
      running = current = null;
      setBusy("");
    }
  }
}

/** Runs a job about the picture on show, beside the pictures that are under way. */
async function aside(job) {
  if (!running) return work(job);
  try {
    await job(new AbortController().signal);
  } catch (error) {
    fail(error);
  }
}

/** Shows pictures and segments them, one after the other. */
const open = (files) => work(async (signal) => {
  setBusy("Reading the picture");
  await knowModels();
  if (signal.aborted) return;
  pictures = files;
  follows = true;
  queue.show(pictures);
  await runAll(signal);
});

/** Segments all pictures with another model, the one on show first. */
const again = () => work(async (signal) => {
  if (!pictures.includes(shown)) {
    pictures = [shown];
    queue.show(pictures);
  }
  viewer.clearMask();
  hideResult();
  for (const picture of pictures) {
    picture.png = picture.report = null;
    picture.refused = false;
    queue.mark(picture, "waiting");
  }
  follows = false;
  await runAll(signal);
});

async function runAll(signal) {
  const first = follows ? [] : [shown];
  for (const picture of [...first, ...pictures.filter((other) => !first.includes(other))]) {
    await runOne(picture, signal);
    // What ended it says what becomes of the rest.
    if (signal.aborted) return;
  }
}

/** Nothing is under way any more: what has no mask and was not refused has not been segmented. */
function stopRest() {
  for (const picture of pictures.filter((other) => !other.png && !other.refused)) queue.mark(picture, "stopped");
}

async function runOne(picture, signal) {
  queue.mark(picture, "running");
  current = picture;
  try {
    if (follows) await show(picture, signal);
    else (await readPicture(picture.file)).close();
    if (!signal.aborted) await run(picture, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (pictures.length < 2 || !(error instanceof Refusal)) {
      stopRest();
      throw error;
    }
    picture.refused = true;
    queue.mark(picture, "refused", error.message);
    if (shown === picture) showError(error.message);
    return;
  }
  if (!signal.aborted) queue.mark(picture, "done", picture.summary);
}

/** Shows a picture without a mask. */
async function show(picture, signal) {
  const bitmap = await readPicture(picture.file);
  if (signal.aborted || !follows) bitmap.close();
  else showPicture(picture, bitmap);
}

/** Shows a picture of the list, with its mask if it has one; what is under way goes on. */
async function choose(picture) {
  follows = running !== null && picture === current;
  chosen = picture;
  showError("");
  try {
    const bitmap = await readPicture(picture.file);
    if (chosen !== picture) return bitmap.close();
    showPicture(picture, bitmap);
    if (picture.png) showMask(picture, await readLabels(picture.png));
    await aside(askConfidence);
  } catch (error) {
    fail(error);
  }
}

async function saveAll() {
  for (const picture of pictures.filter((other) => other.png)) {
    save(maskOf(picture), picture.name, ".mask.png");
    // Browsers take downloads one by one.
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

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

function showPicture(picture, bitmap) {
  shown = picture;
  queue.current = picture;
  viewer.showPhoto(bitmap);
  bitmap.close();
  at("invitation").hidden = true;
  at("frame").hidden = false;
  hideResult();
  drawBusy();
}

function hideResult() {
  probe.clear();
  at("frame").setAttribute("aria-label", `${shown.name}, not yet segmented`);
  at("status").textContent = "";
  at("times-card").hidden = true;
  at("save-card").hidden = true;
  legend.show([]);
}

async function run(picture, signal) {
  setBusy(pictures.length > 1 ? `Segmenting ${picture.name}` : "Segmenting");
  const model = at("model").value;
  const start = performance.now();
  const { png, times } = await segment(picture.file, model, at("palette").value, signal);
  const roundTrip = performance.now() - start;
  const mask = await readLabels(png);
  // Of a model that was still being loaded when the page was, names and colours are not known yet.
  if (!models.get(model)?.classes.length) await loadModels();
  if (signal.aborted) return;
  const { width, height } = mask;
  const classes = countClasses(mask.labels).map((entry) => ({ ...entry, ...describe(entry.index, model) }));
  picture.model = model;
  picture.png = png;
  picture.roundTrip = roundTrip;
  picture.report = { model, device: models.get(model)?.device, width, height, classes, milliseconds: times };
  picture.summary = largest(classes);
  if (shown !== picture) return;
  showMask(picture, mask);
  await askConfidence(signal);
}

function showMask(picture, mask) {
  const { width, height } = mask;
  // Another picture was taken from the list while this one's mask was read.
  if (shown !== picture) return;
  if (width !== viewer.canvas.width || height !== viewer.canvas.height) {
    throw new Refusal("The mask does not fit the picture; save the picture upright and try again.");
  }
  const { classes, milliseconds } = picture.report;
  viewer.showMask(mask, coloursOf(classes));
  legend.show(classes);
  showTimes(milliseconds, picture.roundTrip);
  at("frame").setAttribute("aria-label", `${picture.name} with its mask: ${picture.summary}`);
  at("status").textContent = `${picture.name}, ${width} × ${height}, in ${Math.round(picture.roundTrip)} ms: ${picture.summary}`;
  at("times-card").hidden = false;
  at("save-card").hidden = false;
  drawBusy();
}

function largest(classes) {
  return classes.slice(0, 4).map(({ name, share }) => `${name} ${percent(share)}`).join(", ");
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

function setBusy(text) {
  busyText = text;
  drawBusy();
}

/** A picture that has its mask is not covered while another is under way. */
function drawBusy() {
  const covers = busyText !== "" && !(current && shown?.png && shown !== current);
  at("busy").hidden = !covers;
  at("busy-text").textContent = busyText;
  at("cancel").hidden = busyText === "";
  at("viewport").classList.toggle("waiting", covers);
  at("viewport").ariaBusy = String(covers);
}

function cancel() {
  running?.abort();
  running = current = null;
  stopRest();
  setBusy("");
  at("status").textContent = "Cancelled.";
}

function maskOf(picture) {
  return new Blob([picture.png], { type: "image/png" });
}

function save(blob, name, suffix) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name.replace(/\.[^.]*$/, "") + suffix;
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
        await open([{ file: await fetchSample(name), name }]);
      } catch (error) {
        fail(error);
      }
    });
    return button;
  }));
}

function listen() {
  at("file").addEventListener("change", () => {
    openFiles(at("file").files);
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
  at("save-mask").addEventListener("click", () => save(maskOf(shown), shown.name, ".mask.png"));
  at("save-overlay").addEventListener("click", async () => save(await viewer.overlay(), shown.name, ".overlay.png"));
  at("save-json").addEventListener("click", () =>
    save(new Blob([JSON.stringify(shown.report, null, 2)], { type: "application/json" }), shown.name, ".json"));
  at("save-file").addEventListener("click", saveFile);
  at("compare").addEventListener("input", setCompared);
  at("sure").addEventListener("change", () => {
    viewer.confidence = null;
    if (shown?.report) aside(askConfidence);
  });
  listenForPictures();
}

/** Whether there was any. */
function openFiles(files) {
  if (files.length > 0) open([...files].map((file) => ({ file, name: file.name || "pasted.png" })));
  return files.length > 0;
}

function listenForPictures() {
  document.addEventListener("paste", (event) => {
    openFiles(event.clipboardData.files);
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
    if (!openFiles(event.dataTransfer.files)) showError("That was no file; drop a picture file.");
  });
}

/** Asks the server for the confidence of the picture on show, where somebody wants to see it. */
async function askConfidence(signal) {
  if (!at("sure").checked || !shown?.report) return;
  const picture = shown;
  if (!current || current === shown) setBusy("Asking how sure the model is");
  const { blob } = await fetchFile(shown.file, { model: shown.model, format: "confidence8" }, signal);
  const confidence = await readLabels(new Uint8Array(await blob.arrayBuffer()));
  if (!signal.aborted && shown === picture) viewer.confidence = confidence;
}

const saveFile = () => aside(async (signal) => {
  const { name } = shown;
  if (!running || !busyText) setBusy("Making the file");
  const query = {
    model: shown.model, palette: at("palette").value, format: at("save-format").value, name: shown.name,
    opacity: Number(at("opacity").value) / 100,
  };
  const seen = shown.report.classes.filter(({ index }) => !legend.hidden.has(index)).map(({ index }) => index);
  if (seen.length === 0) throw new Refusal("No class is shown; switch one on in the legend.");
  query.only = seen.join(",");
  const { blob, suffix } = await fetchFile(shown.file, query, signal);
  if (!signal.aborted) save(blob, name, suffix);
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
  for (const picture of new Set([...pictures, shown])) {
    for (const entry of picture?.report?.classes ?? []) entry.colour = describe(entry.index, picture.model).colour;
  }
  if (!shown?.report) return;
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
