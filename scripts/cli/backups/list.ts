import path from "node:path";
import { type BackupSummary, listBackups } from "../../../components/backup/list.js";
import { NOT_KNOWN } from "../../../components/backup/origin.js";
import { Restic } from "../../../components/repository/restic.js";
import { neverUsed } from "../../../components/repository/seen.js";
import { EXIT, messageOf } from "../../../components/runtime/errors.js";
import { roundSize } from "../../../components/settings/units.js";
import { assertOperatorConfig } from "../check-config.js";
import type { Outcome } from "../outcome.js";
import { print, printJson } from "../output.js";
import { lookAtPresent } from "../present.js";
import type { Workspace } from "../workspace.js";
import { retentionOf } from "./facts.js";
import { repositoryOf } from "./repository.js";
import { ageOf, ageWords, columns, countOf } from "./words.js";

/** One line of `backups list --json`. */
interface Listed extends BackupSummary {
  /** Why retention keeps it; empty: the next prune removes it. Null: what the stack needs could not be read. */
  why: string[] | null;
}

/** What the repository holds of this stack, newest first. */
export async function listCopies(ws: Workspace, json: boolean): Promise<Outcome> {
  const env = await repositoryOf(ws);
  const restic = new Restic(env, ws.paths);
  if (await neverUsed(restic, ws.paths, env)) {
    if (json) printJson([]);
    else print([`stack ${ws.stack}: nothing is in ${restic.shown} yet, or it cannot be reached; the first backup that is sent makes the repository: scripts/backups.sh send`]);
    return { exitCode: EXIT.done, summary: "", next: "" };
  }
  const here = new Set((await listBackups(ws.paths)).map(({ name }) => name));
  const copies = (await restic.copies()).map((copy) => ({ ...copy, here: here.has(copy.backup) }));
  const rows = copies.map((copy) => [`  ${copy.backup}`, ageWords(Date.now() - Date.parse(copy.time)), copy.id.slice(0, 8), copy.here ? "yes" : "no"]);
  const lines = [`stack ${ws.stack}: ${countOf(copies.length, "copy", "copies")} in ${restic.shown}`, ...columns([["  name", "sent, age", "snapshot", "also here"], ...rows])];
  if (json) printJson(copies);
  else print(lines);
  return { exitCode: EXIT.done, summary: "", next: "" };
}

/** Newest first. Reads only, and lists what is there also where Pulumi's state cannot be read. */
export async function list(ws: Workspace, json: boolean): Promise<Outcome> {
  const backups = (await listBackups(ws.paths)).reverse();
  const { reasons, problem } = await reasonsOf(ws);
  const listed = backups.map((backup): Listed => ({ ...backup, why: reasons?.get(backup.name) ?? null }));
  if (json) printJson(listed);
  else print(describe(ws, listed, problem, Date.now()));
  return { exitCode: EXIT.done, summary: "", next: "" };
}

async function reasonsOf(ws: Workspace): Promise<{ reasons: Map<string, string[]> | null; problem: string }> {
  try {
    const items = await retentionOf(ws, await lookAtPresent(ws), assertOperatorConfig(ws).backup);
    return { reasons: new Map(items.filter(({ kind }) => kind === "backup").map(({ name, why }) => [name, why])), problem: "" };
  } catch (error) {
    return { reasons: null, problem: messageOf(error) };
  }
}

function describe({ stack, paths, projectDir }: Workspace, listed: readonly Listed[], problem: string, now: number): string[] {
  const where = path.relative(projectDir, paths.backups);
  if (listed.length === 0) return [`stack ${stack}: no backups in ${where}`];
  const bytes = listed.reduce((sum, backup) => sum + backup.bytes, 0);
  const rows = listed.map((backup) => [
    `  ${backup.name}`, ageWords(ageOf(backup, now)), backup.of === "" ? "-" : backup.of, backup.before === "" ? "-" : backup.before, roundSize(backup.bytes),
    backup.problem === NOT_KNOWN ? "UNKNOWN" : backup.problem !== "" ? "DAMAGED" : backup.proven ? "yes" : "NO", whyWords(backup),
  ]);
  return [
    `stack ${stack}: ${countOf(listed.length, "backup")}, ${roundSize(bytes)}, in ${where}`,
    ...columns([["  name", "age", "data of", "taken before", "size", "proven", "stays because"], ...rows]),
    ...(problem === "" ? [] : [`what the stack needs is not known: ${problem}`]),
  ];
}

function whyWords({ why }: Listed): string {
  if (why === null) return "not known";
  return why.length === 0 ? "nothing needs it: the next prune removes it" : why.join("; ");
}
