/** Keeps the cache of exports small: what is referenced, and the few that were used last. */
import { randomBytes } from "node:crypto";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "../runtime/errors.js";
import { EXPORTS } from "./export.js";
import { isCommit } from "./names.js";

export interface Export {
  name: string;
  /** Milliseconds since 1970 of its last use. */
  usedAt: number;
}

export interface PruneRule {
  /** Commits that stay. */
  keep: ReadonlySet<string>;
  /** How many others stay, the last used first. */
  spare: number;
  /** Younger than this many milliseconds: another process may be building from it. */
  minAgeMs: number;
}

export const PRUNE_DEFAULTS: Omit<PruneRule, "keep"> = { spare: 3, minAgeMs: 3_600_000 };

/** What goes. Pure. Anything else than a finished export is a leftover of a killed run, and goes when it is old. */
export function toPrune(exports: readonly Export[], rule: PruneRule, nowMs: number): string[] {
  const old = (entry: Export): boolean => nowMs - entry.usedAt > rule.minAgeMs;
  const finished = exports.filter((entry) => isCommit(entry.name) && !rule.keep.has(entry.name)).sort((a, b) => b.usedAt - a.usedAt);
  const leftovers = exports.filter((entry) => entry.name.startsWith("."));
  return [...finished.slice(rule.spare), ...leftovers].filter(old).map((entry) => entry.name);
}

/** @returns names that were removed */
export async function pruneExports(projectDir: string, rule: PruneRule, nowMs = Date.now()): Promise<string[]> {
  const root = path.join(projectDir, EXPORTS);
  const gone = toPrune(await listExports(root), rule, nowMs);
  for (const name of gone) {
    // Out of the way first: a build must find a whole export or none.
    const aside = path.join(root, `.${name.replace(/^\./, "")}.pruned.${randomBytes(4).toString("hex")}`);
    try {
      await rename(path.join(root, name), aside);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") {
        throw error;
      }
    }
    await rm(aside, { recursive: true, force: true });
  }
  return gone;
}

async function listExports(root: string): Promise<Export[]> {
  const names = await readdir(root).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") {
      return [];
    }
    throw error;
  });
  const found = await Promise.all(
    names.map(async (name) => {
      const stat = await lstat(path.join(root, name)).catch(() => null);
      return stat === null ? [] : [{ name, usedAt: stat.mtimeMs }];
    }),
  );
  return found.flat();
}
