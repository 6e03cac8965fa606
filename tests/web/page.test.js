// The page at /, in a browser.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { readLabels } from "../../managed/Atrous.Server/Web/files/labels.js";
import { colours, isDrawn, missing, openPage, sample, screenshot, startBrowser, startServer, takeSample } from "./support.js";

const skip = missing();
let server, browser;

before(async () => {
  if (skip) return;
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
});

after(async () => {
  await browser?.close();
  server?.stop();
});

/** A test with a page of its own that must not have made the browser complain. */
function pageTest(name, body, { expected = [], ...options } = {}) {
  test(name, { skip }, async () => {
    const page = await openPage(browser, server.address, options);
    try {
      await body(page);
      assert.deepEqual(page.problems.filter((problem) => !expected.some((part) => problem.includes(part))), []);
    } finally {
      await page.context().close();
    }
  });
}

/** Points all over a canvas, as parts of its size. */
const GRID = Array.from({ length: 400 }, (_, i) => [(i % 20 + 0.5) / 20, (Math.floor(i / 20) + 0.5) / 20]);

/** Of the picture on show. */
const sizeOf = (page) => page.$eval("#photo", (photo) => [photo.width, photo.height]);

const statusOf = (page) => page.textContent("#status");

async function save(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

pageTest("a sample shows its mask, legend, times and status", async (page) => {
  await screenshot(page, "empty");
  await takeSample(page);
  assert.match(await statusOf(page), /^street\.png, \d+ × \d+, in \d+ ms: .+%/);
  const shares = await page.$$eval("#legend .share", (parts) => parts.map((part) => Number.parseFloat(part.textContent.replace("< ", ""))));
  assert.deepEqual(shares, [...shares].sort((a, b) => b - a));
  assert.ok(Math.abs(shares.reduce((a, b) => a + b) - 100) < 2);
  assert.match(await page.textContent("#times"), /Network.*ms.*Round trip.*ms/s);
  assert.ok(await isDrawn(page, "#mask"));
  await page.hover("h1");
  await screenshot(page, "street");
});

pageTest("a chosen file goes the same way", async (page) => {
  await page.setInputFiles("#file", { name: "my street.png", mimeType: "image/png", buffer: sample() });
  await page.waitForSelector("#legend li");
  assert.match(await statusOf(page), /^my street\.png/);
});

for (const way of ["drop", "paste"]) {
  pageTest(`a picture can be had by ${way}`, async (page) => {
    const data = await page.evaluateHandle(async (name) => {
      const blob = await (await fetch("/samples/street.png")).blob();
      const transfer = new DataTransfer();
      transfer.items.add(new File([blob], `${name}.png`, { type: "image/png" }));
      return transfer;
    }, way);
    if (way === "drop") {
      await page.dispatchEvent("#viewport", "dragenter", { dataTransfer: data });
      assert.ok(await page.$("body.dropping"));
      await page.dispatchEvent("#viewport", "drop", { dataTransfer: data });
      assert.equal(await page.$("body.dropping"), null);
    } else {
      await data.evaluate((clipboardData) => document.dispatchEvent(new ClipboardEvent("paste", { clipboardData })));
    }
    await page.waitForSelector("#legend li");
    assert.match(await statusOf(page), new RegExp(`^${way}\\.png`));
  });
}

pageTest("the slider and the switches need no server", async (page) => {
  await takeSample(page);
  let requests = 0;
  page.on("request", () => requests++);
  await page.fill("#opacity", "25");
  assert.equal(await page.$eval("#mask", (mask) => getComputedStyle(mask).opacity), "0.25");
  assert.equal(await page.getAttribute("#opacity", "aria-valuetext"), "25 percent");
  await page.click("#none");
  assert.equal(await isDrawn(page, "#mask"), false);
  await page.click("#all");
  assert.ok(await isDrawn(page, "#mask"));
  await page.click("#legend li:nth-child(1) .only");
  assert.equal(await page.locator("#legend input:checked").count(), 1);
  const seen = new Set((await colours(page, "#mask", GRID)).map((colour) => colour.join()));
  assert.equal(seen.size, 2, "one class and nothing");
  assert.equal(requests, 0);
});

pageTest("a class in the legend is hatched in the picture, and all can be outlined", async (page) => {
  await takeSample(page);
  await page.hover("h1");
  assert.equal(await isDrawn(page, "#marks"), false);
  await page.hover("#legend li:nth-child(2)");
  assert.ok(await isDrawn(page, "#marks"));
  await screenshot(page, "hatched");
  await page.hover("h1");
  assert.equal(await isDrawn(page, "#marks"), false);
  await page.check("#outlines");
  assert.ok(await isDrawn(page, "#marks"));
  await screenshot(page, "outlined");
});

pageTest("the class under the pointer and under the keyboard's cross-hair is named", async (page) => {
  await takeSample(page);
  const box = await page.locator("#photo").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.9);
  const name = await page.textContent("#tip .text");
  assert.equal(await page.textContent("#legend li.current label span:last-child"), name);
  await screenshot(page, "pointer");
  await page.hover("h1");
  assert.equal(await page.isVisible("#tip"), false);

  await page.focus("#frame");
  await page.keyboard.press("ArrowDown");
  const [width, height] = await sizeOf(page);
  const spoken = async (x, y) => assert.ok((await page.textContent("#spoken")).endsWith(`, at ${x}, ${y}`), await page.textContent("#spoken"));
  await spoken(width / 2, height / 2);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+ArrowLeft");
  await spoken(width / 2 - 1, height / 2 + width / 64);
  await screenshot(page, "keyboard");
  for (let i = 0; i < 32; i++) await page.keyboard.press("ArrowDown");
  await spoken(width / 2 - 1, height - 1);
  await page.keyboard.press("Escape");
  assert.equal(await page.isVisible("#crosshair"), false);
});

pageTest("other colours come without another run", async (page) => {
  await takeSample(page);
  const before = await page.$$eval("#legend .swatch", (swatches) => swatches.map((swatch) => swatch.style.backgroundColor));
  const drawn = await colours(page, "#mask", GRID);
  let runs = 0;
  page.on("request", (request) => { runs += request.url().includes("/v1/segment") ? 1 : 0; });
  await page.selectOption("#palette", "voc");
  await page.waitForFunction((old) =>
    [...document.querySelectorAll("#legend .swatch")].some((swatch, i) => swatch.style.backgroundColor !== old[i]), before);
  assert.notDeepEqual(await colours(page, "#mask", GRID), drawn);
  assert.equal(runs, 0);
});

pageTest("what is saved is what is shown", async (page) => {
  await takeSample(page);
  await page.fill("#opacity", "100");
  const mask = await save(page, "#save-mask"), overlay = await save(page, "#save-overlay"), report = await save(page, "#save-json");
  assert.deepEqual([mask.name, overlay.name, report.name], ["street.mask.png", "street.overlay.png", "street.json"]);

  const { labels } = await readLabels(mask.bytes);
  const json = JSON.parse(report.bytes);
  assert.deepEqual([json.width, json.height], await sizeOf(page));
  assert.equal(json.classes.reduce((sum, entry) => sum + entry.pixels, 0), labels.length);
  assert.equal(json.classes.find((entry) => entry.index === labels[0]).pixels, labels.filter((label) => label === labels[0]).length);

  // Of an overlay at full opacity every pixel is its class's colour.
  const points = [[0, 0], [0.3, 0.4], [0.5, 0.95]];
  const drawn = await page.evaluate(async ([bytes, at]) => {
    const bitmap = await createImageBitmap(new Blob([new Uint8Array(bytes)]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d").drawImage(bitmap, 0, 0);
    return at.map(([x, y]) => [...canvas.getContext("2d").getImageData(Math.floor(x * bitmap.width), Math.floor(y * bitmap.height), 1, 1).data]);
  }, [[...overlay.bytes], points]);
  assert.deepEqual(drawn, await colours(page, "#mask", points));
});

pageTest("what is no picture is refused in words, and the page goes on", async (page) => {
  await page.setInputFiles("#file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
  await page.waitForSelector("#error:not([hidden])");
  assert.match(await page.textContent("#error"), /choose a JPEG, PNG/);
  await screenshot(page, "refused");
  await takeSample(page);
  assert.equal(await page.isVisible("#error"), false);
});

pageTest("what the server refuses is said in its words", async (page) => {
  // A picture that browsers know and the server does not: an icon, which is a header before a PNG.
  const png = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(8, 8);
    canvas.getContext("2d").fillRect(0, 0, 8, 8);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer())];
  });
  const header = Buffer.from([0, 0, 1, 0, 1, 0, 8, 8, 0, 0, 1, 0, 32, 0, 0, 0, 0, 0, 22, 0, 0, 0]);
  header.writeUInt32LE(png.length, 14);
  const icon = Buffer.concat([header, Buffer.from(png)]);
  await page.setInputFiles("#file", { name: "picture.ico", mimeType: "image/x-icon", buffer: icon });
  await page.waitForSelector("#error:not([hidden])");
  assert.match(await page.textContent("#error"), /no JPEG, PNG.* or TIFF; convert/);
}, { expected: ["415"] });

pageTest("a request can be cancelled", async (page) => {
  // The first request gets no answer, the next one the server's.
  let sent = 0;
  await page.route("**/v1/segment*", (route) => (sent++ === 0 ? undefined : route.continue()));
  await page.click(".sample");
  await page.waitForSelector("#busy:has-text('Segmenting')");
  await screenshot(page, "busy");
  await page.click("#cancel");
  assert.equal(await statusOf(page), "Cancelled.");
  assert.equal(await page.isVisible("#busy"), false);
  await takeSample(page);
});

test("a picture that is chosen before the models are known gets their names and colours", { skip }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route("**/v1/models*", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(server.address);
  await page.setInputFiles("#file", { name: "early.png", mimeType: "image/png", buffer: sample() });
  await page.waitForSelector("#busy:not([hidden])");
  release();
  await page.waitForSelector("#legend li");
  const names = await page.$$eval("#legend label span:last-child", (parts) => parts.map((part) => part.textContent));
  assert.deepEqual(names.filter((name) => name.startsWith("class ")), []);
  await context.close();
});

pageTest("the label at the pointer goes with its picture", async (page) => {
  await takeSample(page);
  const box = await page.locator("#photo").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  assert.ok(await page.isVisible("#tip"));
  // The next picture's mask never comes.
  await page.route("**/v1/segment*", () => undefined);
  await page.setInputFiles("#file", { name: "next.png", mimeType: "image/png", buffer: sample() });
  await page.waitForSelector("#busy:has-text('Segmenting')");
  assert.equal(await page.isVisible("#tip"), false);
  assert.equal(await page.locator("#legend li").count(), 0);
});

pageTest("a server that is gone is said in words", async (page) => {
  await page.route("**/v1/segment*", (route) => route.abort("connectionrefused"));
  await page.click(".sample");
  await page.waitForSelector("#error:has-text('cannot be reached')");
}, { expected: ["ERR_CONNECTION_REFUSED"] });

pageTest("another model runs on the same picture", async (page) => {
  await takeSample(page);
  const names = await page.$$eval("#model option", (options) => options.map((option) => option.value));
  assert.equal(names.length, 2);
  const [request] = await Promise.all([
    page.waitForRequest((sent) => sent.url().includes(`/v1/segment?model=${names[1]}`)), page.selectOption("#model", names[1]),
  ]);
  assert.equal((await request.response()).status(), 200);
  await page.waitForSelector("#legend li");
});

pageTest("a file of every format is made by the server", async (page) => {
  await takeSample(page);
  const names = await page.$$eval("#legend li", (items) => items.map((item) => item.querySelector("span:not(.swatch)").textContent));
  await page.click("#legend input >> nth=0");
  await page.selectOption("#save-format", "geojson");
  const file = await save(page, "#save-file");
  assert.equal(file.name, "street.geojson");
  const found = new Set(JSON.parse(file.bytes).features.map((feature) => feature.properties.name));
  // The class that is switched off is left out.
  assert.deepEqual([...found].sort(), names.slice(1).sort());
  const formats = await page.$$eval("#save-format option", (options) => options.map((option) => option.value));
  assert.equal(formats.length, 13);
  const saved = new Map();
  for (const format of formats) {
    await page.selectOption("#save-format", format);
    const { name: made, bytes } = await save(page, "#save-file");
    assert.match(made, /^street\.\w+(\.\w+)?$/, format);
    assert.ok(bytes.length > 100, format);
    saved.set(format, made);
  }
  assert.deepEqual(["legend", "coco"].map((format) => saved.get(format)), ["street.legend.png", "street.coco.json"]);
  assert.equal(new Set(saved.values()).size, formats.length);
});

const asFile = (name, buffer = sample()) => ({ name, mimeType: "image/png", buffer });

/** What the list of pictures says of each: [name, text]. */
const rowsOf = (page) => page.$$eval("#queue-list button", (buttons) =>
  buttons.map((button) => [...button.children].map((part) => part.textContent)));

pageTest("several pictures go one after the other, and one that is refused does not stop the rest", async (page) => {
  await page.setInputFiles("#file", [asFile("one.png"), asFile("notes.txt", Buffer.from("no picture")), asFile("two.png")]);
  await page.waitForSelector("#queue-count:has-text('3 of 3, 1 refused')");
  const rows = await rowsOf(page);
  assert.deepEqual(rows.map(([name]) => name), ["one.png", "notes.txt", "two.png"]);
  assert.match(rows[0][1], /^[a-z ]+ \d+\.\d %, /);
  assert.match(rows[1][1], /choose a JPEG, PNG/);
  assert.equal(rows[2][1], rows[0][1]);
  await page.waitForSelector("#busy", { state: "hidden" });
  assert.match(await statusOf(page), /^two\.png/);
  await screenshot(page, "queue");
  await page.click("#queue-list button >> nth=0");
  await page.waitForSelector("#status:has-text('one.png')");
  assert.ok(await isDrawn(page, "#mask"));
  assert.equal(await page.getAttribute("#queue-list button >> nth=0", "aria-current"), "true");
  const downloads = [];
  page.on("download", (download) => downloads.push(download.suggestedFilename()));
  await page.click("#save-all");
  while (downloads.length < 2) await page.waitForTimeout(50);
  assert.deepEqual(downloads, ["one.mask.png", "two.mask.png"]);
});

pageTest("a picture can be looked at while the next is under way, and the rest be cancelled", async (page) => {
  let sent = 0;
  await page.route("**/v1/segment*", (route) => (sent++ === 1 ? undefined : route.continue()));
  await page.setInputFiles("#file", [asFile("one.png"), asFile("two.png"), asFile("three.png")]);
  await page.waitForSelector("#busy:has-text('Segmenting two.png')");
  await page.click("#queue-list button >> nth=0");
  await page.waitForSelector("#status:has-text('one.png')");
  assert.equal(await page.isVisible("#busy"), false);
  assert.ok(await page.isVisible("#cancel"));
  // A file of what is on show is made beside what is under way.
  await page.selectOption("#save-format", "geojson");
  assert.equal((await save(page, "#save-file")).name, "one.geojson");
  await page.click("#cancel");
  await page.waitForSelector("#queue-list li:nth-child(3).stopped");
  assert.deepEqual((await rowsOf(page)).slice(1).map(([, text]) => text), ["not segmented", "not segmented"]);
  await page.click("#queue-list button >> nth=2");
  await page.waitForSelector("#frame[aria-label='three.png, not yet segmented']");
});

pageTest("the confidence under the pointer is asked for", async (page) => {
  await takeSample(page);
  await page.check("#sure");
  await page.waitForSelector("#busy", { state: "hidden" });
  const box = await (await page.$("#photo")).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height * 0.9);
  assert.match(await page.textContent("#tip .text"), /^[a-z ]+, \d+ %$/);
});

pageTest("a slider shows the photo beside its mask", async (page) => {
  await takeSample(page);
  await page.fill("#compare", "40");
  assert.equal(await page.$eval("#mask", (mask) => mask.style.clipPath), "inset(0px 0px 0px 40%)");
  await page.fill("#compare", "0");
  assert.equal(await page.$eval("#mask", (mask) => mask.style.clipPath), "");
});

pageTest("all that can be done can be done by keyboard, and nothing is trapped", async (page) => {
  await takeSample(page);
  const reached = new Set();
  // Once around, from the sample past the last class and the end of the page to where it began.
  for (let element = ""; !(reached.has("save-format") && element === "sample");) {
    await page.keyboard.press("Tab");
    element = await page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName);
    reached.add(element);
    assert.ok(reached.size < 60);
  }
  for (const id of ["skip", "file", "model", "frame", "sample", "opacity", "palette", "outlines", "all", "none", "save-mask", "save-overlay", "save-json", "compare", "sure"]) {
    assert.ok(reached.has(id), `${id} among ${[...reached]}`);
  }
});

pageTest("a phone shows all in one column without a sideways scroll", async (page) => {
  await takeSample(page);
  // A phone widens its window to what is in it, but not its screen.
  const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, screen.width]);
  assert.ok(content <= width, `${content} of ${width}`);
  const widest = await page.$$eval(".card", (cards) => Math.max(...cards.map((card) => card.getBoundingClientRect().right)));
  assert.ok(widest <= width, `a card ends at ${widest} of ${width}`);
  await screenshot(page, "phone");
}, { viewport: { width: 360, height: 800 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
