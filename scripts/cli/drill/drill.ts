import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type BackupSummary, listBackups } from "../../../components/backup/list.js";
import { lossInWords } from "../../../components/backup/loss.js";
import { manifestIn } from "../../../components/backup/manifest-file.js";
import { defaultRollbackTarget } from "../../../components/release/ledger.js";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { errors, EXIT } from "../../../components/runtime/errors.js";
import { stamp } from "../../../components/runtime/paths.js";
import { environmentOf } from "../../../components/settings/defaults.js";
import { backupOf } from "../data/choose.js";
import { previewLoss } from "../data/loss.js";
import { rollbackWithData } from "../data/rollback.js";
import type { RollbackAsk } from "../data/choose.js";
import { endLines, type Outcome } from "../outcome.js";
import { print } from "../output.js";
import { lookAtPresent } from "../present.js";
import { configValue } from "../stack-file.js";
import type { Workspace } from "../workspace.js";
import { type DrillMove, type DrillReport, passed, reportLines } from "./report.js";

/**
 * Goes back to the release before the present one with its data, restored from its backup, and forward again to the data as it was
 * left; compares both with what they should be, and writes down how long it took. Nobody else should write meanwhile.
 */
export async function drill(ws: Workspace, { waitMs }: { waitMs: number }): Promise<Outcome> {
  assertNotProduction(ws.stack, readFileSync(ws.stackFile, "utf8"));
  const ledger = await releasesOf(ws);
  const present = lastOf(ws, ledger);
  const { target, backup } = await wayBack(ws, ledger);
  const began = new Date();
  const point = await previewLoss(ws, backup.name, present);
  const back = await move(ws, { tag: target.tag, withData: backup.name }, waitMs, () => backup.name);
  const served = back.exitCode === EXIT.done || back.exitCode === EXIT.unverified;
  // What it was compared with is the backup that the way back took of the data that it left.
  const forward = served ? await move(ws, { tag: present.tag, generation: present.generation }, waitMs, (record) => record.backup) : null;
  const report: DrillReport = {
    schema: 1,
    stack: ws.stack,
    startedAt: began.toISOString(),
    from: { tag: present.tag, generation: present.generation },
    recoveryPoint: {
      backup: backup.name, takenAt: backup.created, seconds: Math.max(0, (began.getTime() - Date.parse(backup.created)) / 1000),
      missing: "loss" in point ? lossInWords(point.loss) : null,
    },
    compared: manifestIn(path.join(ws.paths.backups, backup.name)).manifest.index?.details ?? {},
    back,
    forward,
    passed: passed([back, forward]),
  };
  const file = write(ws, report, began);
  const outcome = outcomeOf(report, file);
  print([...reportLines(report), ...endLines(outcome)]);
  return outcome;
}

/** @throws ReleaseError `usage`: a drill moves users to older data for a while */
export function assertNotProduction(stack: string, stackFile: string): void {
  if (environmentOf(stack) !== "prod" && configValue(stackFile, "environment") !== "prod") return;
  throw errors.usage({ why: `${stack} is a production stack, and a drill gives its users older data for a while`, next: "run it on a stack that is like it: scripts/drill.sh --stack staging" });
}

/** Oldest first. */
async function releasesOf(ws: Workspace): Promise<readonly ReleaseRecord[]> {
  return (await lookAtPresent(ws)).ledger;
}

function lastOf(ws: Workspace, ledger: readonly ReleaseRecord[]): ReleaseRecord {
  const present = ledger.at(-1);
  if (present === undefined) throw errors.usage({ why: `nothing is released on ${ws.stack}`, next: "run scripts/deploy.sh first" });
  return present;
}

async function wayBack(ws: Workspace, ledger: readonly ReleaseRecord[]): Promise<{ target: ReleaseRecord; backup: BackupSummary }> {
  const target = defaultRollbackTarget(ledger);
  if (target === null) throw errors.usage({ why: "there is no earlier release to go back to", next: "release another tag first: scripts/deploy.sh" });
  const backups = await listBackups(ws.paths);
  const name = backupOf(target, ledger, backups);
  const backup = backups.find((one) => one.name === name);
  if (backup === undefined) throw errors.usage({ why: `no backup is left that holds the data of ${target.tag}`, next: "release another tag first, which backs up the data that is there: scripts/deploy.sh" });
  return { target, backup };
}

/** Goes there and looks. @param should names the backup that lists what must be there then, from the record before the move */
async function move(ws: Workspace, ask: RollbackAsk, waitMs: number, should: (before: ReleaseRecord) => string): Promise<DrillMove> {
  const before = lastOf(ws, await releasesOf(ws));
  const began = Date.now();
  const { exitCode, summary } = await rollbackWithData(ws, { ...ask, dryRun: false, yes: true, waitMs, rehearsal: true });
  const commandSeconds = seconds(began, Date.now());
  const after = lastOf(ws, await releasesOf(ws));
  const { tag, generation } = after;
  const comparedWith = should(before);
  if (after.seq === before.seq) return { tag: ask.tag ?? tag, generation: ask.generation ?? "", exitCode, recoverySeconds: null, commandSeconds, comparedWith, different: null, problem: summary };
  const differs = await previewLoss(ws, comparedWith === "" ? null : comparedWith, after);
  const compared = "loss" in differs ? { different: lossInWords(differs.loss), problem: "" } : { different: null, problem: differs.unknown };
  return { tag, generation, exitCode, recoverySeconds: seconds(began, Date.parse(after.switchedAt)), commandSeconds, comparedWith, ...compared };
}

function seconds(from: number, to: number): number {
  return Math.round((to - from) / 100) / 10;
}

/** @returns the JSON's path; the same in words is beside it */
function write({ paths, stack }: Workspace, report: DrillReport, at: Date): string {
  mkdirSync(paths.logs, { recursive: true, mode: 0o700 });
  const file = path.join(paths.logs, `drill-${stack}-${stamp(at)}`);
  writeFileSync(`${file}.json`, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  writeFileSync(`${file}.txt`, `${reportLines(report).join("\n")}\n`, { mode: 0o600 });
  return `${file}.json`;
}

function outcomeOf({ passed: well, back, forward, from }: DrillReport, file: string): Outcome {
  if (well) return { exitCode: EXIT.done, summary: `the drill passed: back in ${back.recoverySeconds} s, forward in ${forward?.recoverySeconds} s, all data agreed; written to ${file}`, next: "" };
  const failed = [forward, back].find((move) => move !== null && move.exitCode !== EXIT.done);
  const again = forward?.recoverySeconds === null ? `scripts/rollback.sh ${from.tag} --generation ${from.generation} --yes goes forward again` : `read ${file}`;
  return failed === null || failed === undefined
    ? { exitCode: EXIT.unverified, summary: `the drill went back and forward, and not all data was as it should be; written to ${file}`, next: again }
    : { exitCode: exitOf(failed.exitCode), summary: `the drill's way to ${failed.tag} ended with exit code ${failed.exitCode}; written to ${file}`, next: again };
}

function exitOf(code: number): Outcome["exitCode"] {
  return ([EXIT.refused, EXIT.rolledBack, EXIT.notRolledBack, EXIT.unverified, EXIT.busy, EXIT.interrupted] as const).find((one) => one === code) ?? EXIT.unverified;
}
