/** What users bring to the sample app, and what of it can be seen from outside. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stackNames } from "../../../components/release/names.js";
import { hostPort } from "../../../components/runtime/docker.js";
import { execIn } from "../../../components/runtime/docker-exec.js";
import { randomPoints } from "../../support/backup.js";
import { visit, type Shown } from "../../support/browser.js";
import { containersOf } from "../../support/docker.js";
import type { Project } from "../../support/project.js";
import { TestQdrant, type Dump } from "../../support/qdrant.js";
import type { Random } from "../../support/random.js";
import { waitFor } from "../../support/wait.js";

/** The file that is uploaded: of its passages of 12 lines one is about peanut butter, the others about nothing. */
const PASSAGES = 40;
const NEEDLE = "Peanut butter goes with grape jelly";
const FILE = "sandwiches.md";
const lines = (passage: number): string[] => Array.from({ length: 12 }, (_, line) => (passage === 17 ? NEEDLE : `filler ${passage} ${line} lorem${passage * 12 + line}`));
const CONTENT = Array.from({ length: PASSAGES }, (_, passage) => lines(passage).join("\n")).join("\n");

/** Uploads the file in a browser; the app keeps it and indexes its passages into Qdrant. */
export async function uploadFile(url: string, screenshot: string): Promise<Shown> {
  const directory = mkdtempSync(join(tmpdir(), "story-upload-"));
  try {
    writeFileSync(join(directory, FILE), CONTENT);
    return await visit(url, screenshot, async (page) => {
      await page.locator("input[type=file]").setInputFiles(join(directory, FILE));
      await page.getByText(`Indexed ${FILE}`).first().waitFor({ state: "visible" });
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Looks for the passage in a browser, by some of its words. */
export function search(url: string, label: string, screenshot: string): Promise<Shown> {
  return visit(url, screenshot, async (page) => {
    await page.getByLabel(label).fill("grape jelly with peanut butter");
    await page.getByLabel(label).press("Enter");
    await page.getByText(NEEDLE).first().waitFor({ state: "visible" });
  });
}

export const uploaded = { file: FILE, passages: PASSAGES };

export async function liveQdrant(project: Project): Promise<TestQdrant> {
  const port = await waitFor("Qdrant's port", () => hostPort(stackNames(project.stack).qdrantContainer("0"), 6333));
  return new TestQdrant(`http://127.0.0.1:${port}`, "");
}

/** A collection of their own with an index and an alias, and files that did not come through the page. */
export async function bringMore(project: Project, random: Random): Promise<Dump> {
  const qdrant = await liveQdrant(project);
  await qdrant.create("notes", { size: 64, distance: "Cosine" });
  await qdrant.upsert("notes", randomPoints(random, 2000, 64));
  await qdrant.index("notes", "city", "keyword");
  await qdrant.alias("current-notes", "notes");
  const [app] = await containersOf(project.stack, "app");
  const script = "cd /app/uploads && mkdir -p repo/src && head -c 3000000 /dev/urandom > repo/src/data.bin && printf x > 'repo/ä b.txt'";
  assert.equal((await execIn(app?.id ?? "", ["sh", "-ec", script], { timeoutMs: 30_000 })).exitCode, 0);
  return qdrant.dump();
}
