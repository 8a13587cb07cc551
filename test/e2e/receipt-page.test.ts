/** The receipt's page as a person sees it, in a real browser: light and dark, wide and narrow, on paper, and with hostile texts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Receipt } from "../../components/receipt/model.js";
import { pageOf } from "../../components/receipt/page/page.js";
import { canary, failed, hostile, HOSTILE, released, rolledBack, watched } from "../receipt/receipts.js";
import { ensureBrowser, withBrowser } from "../support/browser.js";
import { FAINT, PALE } from "../support/contrast.js";

const RECEIPTS: Readonly<Record<string, () => Receipt>> = {
  released, failed, "rolled back": rolledBack, "watched, with a canary": () => ({ ...watched(), canary: canary("insufficient") }), hostile,
};
const WIDTHS = [1280, 390];

describe("e2e: the receipt's page in a browser", function () {
  this.timeout(180_000);
  let dir: string;

  before(async function () {
    this.timeout(660_000);
    await ensureBrowser();
    dir = mkdtempSync(path.join(tmpdir(), "pbjrag-page-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  async function open(browser: Browser, receipt: Receipt, options: BrowserContextOptions): Promise<{ page: Page; noticed: string[] }> {
    const file = path.join(dir, "page.html");
    writeFileSync(file, await pageOf(receipt, "page.json"));
    const page = await (await browser.newContext(options)).newPage();
    const noticed: string[] = [];
    page.on("console", (message) => noticed.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => noticed.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => { noticed.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
    page.on("request", (request) => { if (request.url() !== pathToFileURL(file).href && !request.url().startsWith("data:")) noticed.push(`request: ${request.url()}`); });
    await page.goto(pathToFileURL(file).href);
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    return { page, noticed };
  }

  for (const [name, receipt] of Object.entries(RECEIPTS)) {
    it(`${name}: can be read in light and dark, wide and narrow, asks for nothing and is never wider than the window`, () => withBrowser(async (browser) => {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of WIDTHS) {
          const { page, noticed } = await open(browser, receipt(), { colorScheme, viewport: { width, height: 900 } });
          const where = `${colorScheme}, ${width} pixels`;
          assert.deepEqual(noticed, [], where);
          const { looked, faint } = await page.evaluate<{ looked: number; faint: string[] }>(FAINT);
          assert.ok(looked > 100, `${looked} texts`);
          assert.deepEqual(faint, [], where);
          const drawn = await page.evaluate<{ looked: number; faint: string[] }>(PALE);
          assert.ok(drawn.looked > 20, `${drawn.looked} shapes`);
          assert.deepEqual(drawn.faint, [], where);
          assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, `${where}: it scrolls sideways`);
          assert.equal(await page.locator("svg.wide:visible").count() > 0, width > 640, where);
          assert.equal(await page.locator("svg.narrow:visible").count() > 0, width <= 640, where);
          assert.ok(await page.evaluate<number>("Math.min(...[...document.querySelectorAll('svg text')].filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height))") > 10, `${where}: a plot's words are too small`);
        }
      }
    }));
  }

  it("takes what is typed into an incident report, and is black on white on paper", () => withBrowser(async (browser) => {
    const { page, noticed } = await open(browser, failed(), { colorScheme: "dark" });
    const impact = page.getByRole("textbox", { name: "Impact" });
    await impact.click();
    await page.keyboard.type("Nobody noticed: <b>no</b> user was sent to it.");
    assert.equal(await impact.innerText(), "Nobody noticed: <b>no</b> user was sent to it.");
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
    assert.deepEqual((await page.evaluate<{ faint: string[] }>(FAINT)).faint, []);
    assert.ok((await page.pdf()).length > 10_000);
    await page.evaluate("document.querySelector('h1').style.color = '#999'");
    assert.deepEqual((await page.evaluate<{ faint: string[] }>(FAINT)).faint.map((text) => text.slice(0, 4)), ["2.85"], "what is faint is not found");
    assert.deepEqual(noticed, []);
  }));

  it("shows hostile texts as they are", () => withBrowser(async (browser) => {
    const { page, noticed } = await open(browser, hostile(), {});
    assert.deepEqual(noticed, []);
    assert.equal(await page.locator("script, img, iframe, object, style + style, [onload], [onerror]").count(), 0);
    const shown = HOSTILE.replace("\u202e", "\ufffd");
    assert.ok((await page.title()).startsWith(shown));
    assert.ok((await page.locator("h1").innerText()).includes(shown));
    assert.ok((await page.locator(".incident pre").first().innerText()).includes(shown));
  }));
});
