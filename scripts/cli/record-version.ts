import { readFileSync } from "node:fs";
import path from "node:path";
import { replaceFile } from "./replace-file.js";
import type { Run } from "./run.js";
import { configValue, withConfig } from "./stack-file.js";

/** Writes the released version, and nothing else, into the stack's file; says how to commit it where git knows the file. */
export function recordVersion(run: Run, version: string): void {
  const { stackFile, stack } = run.ws;
  const text = readFileSync(stackFile, "utf8");
  if (configValue(text, "version") === version) return;
  replaceFile(stackFile, withConfig(text, { version }), 0o644);
  const name = path.basename(stackFile);
  if (stack !== "dev") run.say(`${name} now says ${version}; commit it: git commit -m "Release ${version} on ${stack}" -- ${name}`);
}
