import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { errors, type ReleaseError } from "../../components/runtime/errors.js";
import { otherBackend } from "./backend.js";
import { replaceFile } from "./replace-file.js";
import type { Workspace } from "./workspace.js";

/**
 * Copies of Pulumi's state as `pulumi stack export` gives it, one after each release: so that there is something to put back when the
 * backend lost it. Secrets in it are encrypted as they are there.
 */
const KEPT = 10;
const COPY = /^release-(\d+)\.json$/;

const directoryOf = ({ paths }: Workspace): string => path.join(paths.dataDir, "states", paths.stack);

/** Release numbers of the copies, newest last: by number, as clocks jump. */
function copies(ws: Workspace): number[] {
  const directory = directoryOf(ws);
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.flatMap((name) => COPY.exec(name)?.[1] ?? []).map(Number).sort((a, b) => a - b);
}

const fileOf = (ws: Workspace, seq: number): string => path.join(directoryOf(ws), `release-${seq}.json`);

/** @param exported as `stack export` printed it after the release of this number */
export function keepStateCopy(ws: Workspace, seq: number, exported: string): void {
  mkdirSync(directoryOf(ws), { recursive: true, mode: 0o700 });
  replaceFile(fileOf(ws, seq), exported, 0o600);
  for (const old of copies(ws).slice(0, -KEPT)) rmSync(fileOf(ws, old), { force: true });
}

/** The refusal of a state that is lost, damaged or elsewhere, with the command that puts the newest copy back or asks the right backend. */
export function stateLost(ws: Workspace, why: string): ReleaseError {
  const other = otherBackend(ws, why);
  if (other !== null) return other;
  const newest = copies(ws).at(-1);
  const copy = newest === undefined ? null : path.relative(ws.projectDir, fileOf(ws, newest));
  const known = copy === null ? "a file that `stack export` made" : `${copy} is from release ${newest}`;
  return errors.stateLost({
    stack: ws.stack, why,
    next: `put a copy of the state back: scripts/pulumi.sh --stack ${ws.stack} stack import --file ${copy ?? "FILE"} (${known}), then run again`,
  });
}
