// Every state of the pages under axe-core, in light and dark.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { missing, openPage, sample, screenshot, startBrowser, startServer, takeSample } from "./support.js";

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

const STATES = {
  empty: async () => {},
  result: async (page) => {
    await takeSample(page);
    await page.check("#outlines");
    await page.uncheck("#legend li:nth-child(1) input");
  },
  refusal: async (page) => {
    await page.setInputFiles("#file", { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await page.waitForSelector("#error:not([hidden])");
  },
  queue: async (page) => {
    const picture = (name, buffer) => ({ name, mimeType: "image/png", buffer });
    await page.setInputFiles("#file", [picture("one.png", sample()), picture("notes.txt", Buffer.from("no picture"))]);
    await page.waitForSelector("#queue-count:has-text('2 of 2, 1 refused')");
  },
  busy: async (page) => {
    await page.route("**/v1/segment*", () => {});
    await page.click(".sample");
    await page.waitForSelector("#busy:has-text('Segmenting')");
  },
};

async function violations(page) {
  // Its own script may do what the page's may not.
  await page.evaluate(axe.source);
  const { violations: found } = await page.evaluate(() => axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return found.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}

/** A state of a page, in light and in dark. */
function axeTest(name, path, options, reach) {
  test(`axe finds nothing: ${name}`, { skip }, async () => {
    const page = await openPage(browser, server.address + path, { bypassCSP: true, ...options });
    await reach(page);
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme });
      await screenshot(page, `${name}-${colorScheme}`);
      assert.deepEqual(await violations(page), [], colorScheme);
    }
    await page.context().close();
  });
}

for (const [state, reach] of Object.entries(STATES)) axeTest(state, "/", {}, reach);

axeTest("phone", "/", { viewport: { width: 360, height: 800 }, isMobile: true, hasTouch: true }, takeSample);

axeTest("docs", "/docs", {}, async (page) => {
  for (const summary of await page.$$("summary")) await summary.click();
});

test("the docs show every operation of the document, and nothing leaves the server", { skip }, async () => {
  const page = await openPage(browser, `${server.address}/docs`);
  const document = await (await fetch(`${server.address}/openapi/v1.json`)).json();
  const operations = Object.values(document.paths).flatMap((item) => Object.keys(item).filter((key) => ["get", "put", "post", "delete"].includes(key)));
  assert.equal(await page.locator("article.operation").count(), operations.length);
  assert.ok((await page.textContent("#operations")).includes("/v1/segment"));
  assert.deepEqual(page.problems, []);
  await page.context().close();
});

test("the docs begin with segmentation, and an operation can be tried", { skip }, async () => {
  const page = await openPage(browser, `${server.address}/docs`);
  assert.equal(await page.textContent("#operations h2"), "Segmentation");
  const article = page.locator("article.operation").first();
  assert.match(await article.locator("h3").textContent(), /POST.*\/v1\/segment/);
  await article.locator("details.tryout > summary").click();
  await article.locator("input[type=file]").setInputFiles({ name: "street.png", mimeType: "image/png", buffer: sample() });
  await article.locator("select[name=format]").selectOption("json");
  await article.locator("button[type=submit]").click();
  await article.locator(".answer pre").waitFor();
  assert.match(await article.locator(".answer p").textContent(), /^200 OK in \d+ ms/);
  const report = JSON.parse(await article.locator(".answer pre").textContent());
  assert.ok(report.classes.length > 0);
  await article.locator("select[name=format]").selectOption("overlay");
  await article.locator("button[type=submit]").click();
  await article.locator(".answer canvas").waitFor();
  await article.locator("select[name=format]").selectOption("");
  await article.locator("input[name=model]").fill("nobody");
  await article.locator("button[type=submit]").click();
  await article.locator(".answer p", { hasText: "404" }).waitFor();
  assert.deepEqual(page.problems.filter((problem) => !problem.includes("404")), []);
  await page.context().close();
});
