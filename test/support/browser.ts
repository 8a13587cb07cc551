import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { mustRun } from "./processes.js";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--disable-dev-shm-usage",
];

/** What a browser showed. */
export interface Shown {
  readonly title: string;
  /** The page's visible text. */
  readonly text: string;
  /** Errors in the page's own console. */
  readonly problems: readonly string[];
}

/** Makes sure that there is a Chromium: Debian's own, installed where we are root. Throws with what to do elsewhere. */
export async function ensureBrowser(): Promise<void> {
  if (existsSync(CHROMIUM)) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) throw new Error(`there is no ${CHROMIUM}: install Debian's package chromium`);
  process.stdout.write("    installing chromium (about a minute) ...\n");
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await mustRun("apt-get", ["update", "-qq"], { cwd: "/", env });
  await mustRun("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { cwd: "/", env, timeoutMs: 600_000 });
}

/** Opens the app as a person does, waits until each of the texts is to be seen, and saves a screenshot. */
export function look(url: string, texts: readonly string[], screenshot: string, withinMs = 30_000): Promise<Shown> {
  return visit(url, screenshot, async (page) => {
    for (const text of texts) await page.getByText(text).first().waitFor({ state: "visible" });
  }, withinMs);
}

/** Opens the app, does something there, and saves a screenshot of how it ends. Each step may take `withinMs`. */
export async function visit(url: string, screenshot: string, act: (page: Page) => Promise<void>, withinMs = 30_000): Promise<Shown> {
  await mkdir(dirname(screenshot), { recursive: true });
  return withBrowser(async (browser) => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(withinMs);
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(url);
    await act(page);
    await page.screenshot({ path: screenshot });
    return { title: await page.title(), text: await page.locator("body").innerText(), problems };
  });
}

/** Starts a browser for as long as it is used. */
export async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}
