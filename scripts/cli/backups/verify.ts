import { existsSync } from "node:fs";
import path from "node:path";
import { listBackups } from "../../../components/backup/list.js";
import { manifestBytes } from "../../../components/backup/manifest-file.js";
import { acceptWith, isKnown, NOT_KNOWN, readKey } from "../../../components/backup/origin.js";
import { verifyBackup } from "../../../components/backup/verify.js";
import { Restic } from "../../../components/repository/restic.js";
import { errors, EXIT, ReleaseError } from "../../../components/runtime/errors.js";
import { roundSize } from "../../../components/settings/units.js";
import { endLines, type Outcome } from "../outcome.js";
import { print, printError, printJson } from "../output.js";
import type { Workspace } from "../workspace.js";
import { findBackup } from "./find.js";
import { repositoryOf, withCopy } from "./repository.js";
import { countOf } from "./words.js";

export interface VerifyOptions {
  /** The newest one when undefined. */
  name: string | undefined;
  all: boolean;
  /** The repository's copies. */
  fromRepository: boolean;
  json: boolean;
}

/** One entry of `backups verify --json`. */
interface Checked {
  name: string;
  /** It can be restored, as it is. */
  good: boolean;
  /** The stack's own. False: it has to be accepted first. */
  known: boolean;
  problems: string[];
  /** Size of what was read. */
  bytes: number;
  tookMs: number;
}

/** Milliseconds between two words on how far it is. */
const TELL_MS = 5_000;

/** Reads backups to their end, without the lock: a release may be under way. Exit 5 if one is damaged. */
export async function verify(ws: Workspace, options: VerifyOptions): Promise<Outcome> {
  const checked: Checked[] = [];
  const env = options.fromRepository ? await repositoryOf(ws) : null;
  for (const name of await (env === null ? namesFor(ws, options) : namesIn(ws, env, options))) {
    const one = env === null ? await check(ws, name, path.join(ws.paths.backups, name)) : await checkCopy(ws, env, name);
    if (one === null) continue;
    checked.push(one);
    if (!options.json) print(lines(one));
  }
  const outcome = outcomeOf(checked);
  if (options.json) printJson(checked);
  else print(endLines(outcome));
  return outcome;
}

async function namesFor(ws: Workspace, { name, all }: VerifyOptions): Promise<string[]> {
  if (name !== undefined && all) throw errors.usage({ why: "a name and --all contradict each other", next: "say one of them" });
  if (name !== undefined) return [(await findBackup(ws, name)).name];
  const names = (await listBackups(ws.paths)).map((backup) => backup.name).reverse();
  return all ? names : names.slice(0, 1);
}

async function namesIn(ws: Workspace, env: Readonly<Record<string, string>>, { name, all }: VerifyOptions): Promise<string[]> {
  if (name !== undefined && all) throw errors.usage({ why: "a name and --all contradict each other", next: "say one of them" });
  if (name !== undefined) return [name];
  const names = [...new Set((await new Restic(env, ws.paths).copies()).map((copy) => copy.backup))];
  return all ? names : names.slice(0, 1);
}

/** What cannot be read back whole is damaged; that the repository cannot be used at all is thrown. */
async function checkCopy(ws: Workspace, env: Readonly<Record<string, string>>, name: string): Promise<Checked | null> {
  const began = performance.now();
  try {
    return await withCopy(ws, env, name, (directory) => check(ws, name, directory));
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== "repositoryFailed") throw error;
    return { name, good: false, known: true, problems: [error.why, ...error.lines], bytes: 0, tookMs: Math.round(performance.now() - began) };
  }
}

/** Null: it was pruned while it was read. */
async function check(ws: Workspace, name: string, directory: string): Promise<Checked | null> {
  const began = performance.now();
  let told = began;
  const { manifest, problems } = await verifyBackup(directory, {
    onProgress: ({ file, read, size }) => {
      if (performance.now() - told < TELL_MS) return;
      told = performance.now();
      printError([`${name}: ${file} ${Math.floor((read / size) * 100)} %`]);
    },
  });
  if (!existsSync(directory)) return null;
  const known = manifest === null || isKnown(directory, ws.stack, readKey(ws.paths), manifestBytes(directory));
  if (!known) problems.push(`${NOT_KNOWN}; ${acceptWith(name)}`);
  const bytes = Object.values(manifest?.files ?? {}).reduce((sum, { size }) => sum + size, 0);
  return { name, good: problems.length === 0, known, problems, bytes, tookMs: Math.round(performance.now() - began) };
}

function lines({ name, good, known, problems, bytes, tookMs }: Checked): string[] {
  return [`${good ? "good   " : !known && problems.length === 1 ? "UNKNOWN" : "DAMAGED"}  ${name}  ${roundSize(bytes)} in ${(tookMs / 1000).toFixed(1)} s`, ...problems.map((problem) => `  | ${problem}`)];
}

function outcomeOf(checked: readonly Checked[]): Outcome {
  const damaged = checked.filter(({ good }) => !good).map(({ name }) => name);
  if (checked.length === 0) return { exitCode: EXIT.done, summary: "there are no backups to verify", next: "" };
  if (damaged.length === 0) return { exitCode: EXIT.done, summary: `${countOf(checked.length, "backup")} read to the end, no damage found`, next: "" };
  return {
    exitCode: EXIT.unverified,
    summary: `${damaged.length} of ${countOf(checked.length, "backup")} cannot be restored: ${damaged.join(", ")}`,
    next: "scripts/rollback.sh --backup-only takes a new one; put a copy of the damaged one back if you have one",
  };
}
