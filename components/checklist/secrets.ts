import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import { type Answer, fail, pass, type Tree, unknown } from "./model.js";
import { runCommand } from "./run-command.js";

const CONFIG = { rules: [{ id: "@secretlint/secretlint-rule-preset-recommend" }] };
const found = z.array(z.object({ filePath: z.string(), messages: z.array(z.object({ ruleId: z.string(), messageId: z.string(), loc: z.object({ start: z.object({ line: z.number() }) }) })) }));

/** Keys, tokens and passwords by their forms, as secretlint knows them. Says where, never what. */
export async function checkSecrets(tree: Tree, deadlineMs: number): Promise<Answer> {
  const dir = await mkdtemp(path.join(tmpdir(), "secretlint-"));
  try {
    const config = path.join(dir, "rc.json");
    const nothing = path.join(dir, "ignore");
    await writeFile(config, JSON.stringify(CONFIG));
    // A tree's own list of what is not to be looked at does not count.
    await writeFile(nothing, "");
    const program = path.join(path.dirname(require.resolve("secretlint/package.json")), "bin", "secretlint.js");
    const args = ["--secretlintrc", config, "--secretlintignore", nothing, "--format", "json", "--no-color", "**/*", "**/.*", "**/.*/**"];
    const { exitCode, stdout, lines, why } = await runCommand([process.execPath, program, ...args], tree.root, deadlineMs);
    const parsed = exitCode === 0 || exitCode === 1 ? found.safeParse(json(stdout)) : null;
    if (parsed?.success !== true) return unknown(`secretlint could not look (${why || `exit code ${exitCode}`})`, lines.slice(-3));
    const places = parsed.data.flatMap(({ filePath, messages }) => messages.map(({ messageId, loc }) => `${path.relative(tree.root, filePath)}:${loc.start.line}: ${messageId}`));
    return places.length === 0 ? pass(`none in ${tree.files.length} files`) : fail(`${places.length} found: revoke them, a commit is for ever`, places);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
