import { readFileSync } from "node:fs";
import path from "node:path";
import type { ReleaseRecord } from "../../components/release/model.js";
import { replaceFile } from "./replace-file.js";
import type { Run } from "./run.js";
import { staleValues, withConfig } from "./stack-file.js";

/**
 * Writes the released version into the stack's file, and takes out data that it names and that was left, and a canary that is over; nothing else. Says
 * how to commit it where git knows the file.
 */
export function recordRelease(run: Run, { tag, generation }: Pick<ReleaseRecord, "tag" | "generation">): void {
  const { stackFile, stack } = run.ws;
  const text = readFileSync(stackFile, "utf8");
  const values = staleValues(text, tag, generation);
  if (Object.keys(values).length === 0) return;
  replaceFile(stackFile, withConfig(text, values), 0o644);
  const name = path.basename(stackFile);
  if ("data" in values) run.say(`removed pbjrag:data from ${name}: the next update would have gone back to that data`);
  if ("canary" in values) run.say(`removed pbjrag:canary.version from ${name}: nothing is tried any more`);
  if (stack !== "dev") run.say(`${name} now says ${tag}; commit it: git commit -m "Release ${tag} on ${stack}" -- ${name}`);
}
