import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline/promises";
import type { Tick } from "../../../components/checklist/model.js";
import { type Item, ticksFile, ticksIn } from "../../../components/checklist/person.js";
import { tagSlug } from "../../../components/release/names.js";
import { gitAt, gitWords } from "../../../components/source/git.js";

/** The list for people, of this checkout. */
export function readItems(projectDir: string): string {
  return readFileSync(path.join(projectDir, "RELEASE_CHECKLIST.md"), "utf8");
}

/** Below the project's directory: where a person ticks for a tag, and commits it. */
export function ticksPath(tag: string): string {
  return `checklists/${tagSlug(tag)}.md`;
}

/** @returns what to say of it */
export function writeTicksFile(projectDir: string, tag: string, items: readonly Item[]): string {
  const file = path.join(projectDir, ticksPath(tag));
  if (existsSync(file)) return `${ticksPath(tag)} is there already, and was left as it is`;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, ticksFile(tag, items));
  return `wrote ${ticksPath(tag)}: tick it, then git add and commit it`;
}

/** The ticks of the committed file, by whoever committed it last; none where it has been changed since, or is not git's. */
export async function committedTicks(projectDir: string, tag: string): Promise<{ ticks: Tick[]; problem: string }> {
  const file = ticksPath(tag);
  if (!existsSync(path.join(projectDir, file))) return { ticks: [], problem: "" };
  const git = gitAt({ dir: projectDir, bare: false });
  try {
    const status = await git.raw(["status", "--porcelain", "--", file]);
    if (status.trim() !== "") return { ticks: [], problem: `${file} does not count: it is not committed as it is` };
    const by = (await git.raw(["log", "-1", "--format=%an <%ae>, commit %h", "--", file])).trim();
    return by === "" ? { ticks: [], problem: `${file} does not count: git does not know it` } : { ticks: ticksIn(readFileSync(path.join(projectDir, file), "utf8"), by), problem: "" };
  } catch (error) {
    return { ticks: [], problem: `${file} does not count: ${gitWords(error)}` };
  }
}

/** Asks whoever sits at the terminal; nobody is there, nothing is ticked. */
export async function askTicks(items: readonly Item[]): Promise<Tick[]> {
  if (!process.stdin.isTTY || items.length === 0) return [];
  const by = process.env["SUDO_USER"] ?? userInfo().username;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const ticks: Tick[] = [];
  try {
    for (const { name, text } of items) {
      if (/^y(es)?$/i.test((await prompt.question(`  ${name}: ${text} [y/N] `)).trim())) ticks.push({ name, by });
    }
  } finally {
    prompt.close();
  }
  return ticks;
}
