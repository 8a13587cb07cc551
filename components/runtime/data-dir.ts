/** Whether backups, logs and state can be kept where they are to be. Creates nothing, so a preview may ask. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { codeOf, messageOf } from "./errors.js";
import type { DataPaths } from "./paths.js";

const WORDS: Record<string, string> = {
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "its file system is mounted read-only",
};

/** Why a stack's directories cannot be made or written in, or null. */
export function dataDirProblem(paths: Pick<DataPaths, "run" | "logs" | "backups">): string | null {
  for (const directory of [paths.run, paths.logs, paths.backups]) {
    const problem = problemAt(directory);
    if (problem !== null) {
      return problem;
    }
  }
  return null;
}

/** Of the directory, or of the nearest one above it that is there. */
function problemAt(directory: string): string | null {
  for (let at = directory; ; at = dirname(at)) {
    try {
      if (!statSync(at).isDirectory()) {
        return `${at} is no directory`;
      }
      accessSync(at, constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      // ENOTDIR: something above it is a file, which the next step finds.
      if (!["ENOENT", "ENOTDIR"].includes(codeOf(error)) || at === dirname(at)) {
        return `${at}: ${WORDS[codeOf(error)] ?? messageOf(error)}`;
      }
    }
  }
}
