// What the tests share: a server, a browser, a picture on the page.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROGRAM = `${ROOT}artifacts/bin/Atrous.Cli/release/atrous`;
const MODEL = ["models/atrous-street.safetensors", "../shared/models/deeplabv3_mobilenet_edgetpu_slim_cityscapes.safetensors"]
  .map((file) => ROOT + file).find(existsSync);
const SCREENSHOTS = `${ROOT}artifacts/web`;

/** Why nothing can be tested here; undefined where it can. */
export function missing() {
  if (process.env.ATROUS_SERVER) return undefined;
  if (!existsSync(PROGRAM)) return "atrous is not built; run dotnet build -c Release";
  return MODEL ? undefined : "there is no model";
}

/** A server of two models on a free port, or the one that ATROUS_SERVER names: {address, stop}. */
export async function startServer() {
  if (process.env.ATROUS_SERVER) return { address: process.env.ATROUS_SERVER, stop: () => {} };
  const server = spawn(PROGRAM, [
    "serve", "--model", `street=${MODEL}`, "--model", `again=${MODEL}`, "--port", "0", "--drain-delay", "0", "--log-level", "error",
  ]);
  const address = await new Promise((resolve, reject) => {
    let text = "";
    server.stderr.on("data", (data) => {
      text += data;
      const found = / on (http:\S+)/.exec(text);
      if (found) resolve(found[1].replace(/\/$/, ""));
    });
    server.on("exit", (code) => reject(new Error(`atrous serve ended with ${code}: ${text}`)));
  });
  while (!(await fetch(`${address}/readyz`)).ok) await new Promise((resolve) => setTimeout(resolve, 100));
  return { address, stop: () => server.kill("SIGTERM") };
}

export const startBrowser = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});

/** A page of its own, loaded; `problems` fills with whatever the browser complains about, the content security policy included. */
export async function openPage(browser, address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: true, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.problems = [];
  page.on("console", (message) => {
    if (message.type() === "error") page.problems.push(message.text());
  });
  page.on("pageerror", (error) => page.problems.push(error.message));
  await page.goto(address);
  await page.waitForSelector("html[data-ready]");
  return page;
}

/** Takes the sample and waits for its mask. */
export async function takeSample(page) {
  await page.click(".sample:has-text('street')");
  await page.waitForSelector("#legend li");
}

export async function screenshot(page, name) {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}

/** Colours [red, green, blue, alpha] of a canvas at points given as parts of its size. */
export const colours = (page, selector, points) => page.$eval(selector, (canvas, at) => {
  const context = canvas.getContext("2d");
  return at.map(([x, y]) => [...context.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data]);
}, points);

/** Whether anything at all is drawn on a canvas. */
export const isDrawn = (page, selector) => page.$eval(selector, (canvas) =>
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0));

export const sample = () => readFileSync(`${ROOT}samples/street.png`);
