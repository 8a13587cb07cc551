import path from "node:path";
import { assertUsable } from "../../../components/backup/verify.js";
import type { DataPart, ReleaseRecord } from "../../../components/release/model.js";
import { volumeNames } from "../../../components/release/data-rules.js";
import { storageOf } from "../../../components/release/ledger.js";
import { stackNames } from "../../../components/release/names.js";
import { readRecord } from "../../../components/restore/record.js";
import { dockerCallOrNull } from "../../../components/runtime/docker.js";
import { errors, EXIT } from "../../../components/runtime/errors.js";
import { generationOf } from "../../../components/traffic/model.js";
import { readLive } from "../../../components/traffic/live.js";
import type { BackupChoice } from "../backup-flags.js";
import { assertKnown } from "../backups/find.js";
import { bringBack } from "../backups/send.js";
import { asked, confirmed } from "../confirm.js";
import { dryRun } from "../dry-run.js";
import { Engine } from "../engine.js";
import { finished } from "../finished.js";
import { ensureImages } from "../images.js";
import type { Outcome } from "../outcome.js";
import { openStack } from "../open-stack.js";
import { print } from "../output.js";
import { readPresent, type Present } from "../present.js";
import { previewPlan } from "../preview.js";
import { recover } from "../recover.js";
import { rollbackValues } from "../rollback-config.js";
import { Run } from "../run.js";
import { TempConfig } from "../temp-config.js";
import { refuseWhileTried } from "../trial.js";
import { restorePresent, update } from "../update.js";
import type { Workspace } from "../workspace.js";
import { backupOfGeneration, type Choice, type Chosen, generationName } from "./choose.js";
import { losesNothing, lossLines, type LossPreview, previewLoss } from "./loss.js";

export interface MoveOptions extends BackupChoice {
  command: "restore" | "rollback";
  dryRun: boolean;
  yes: boolean;
  waitMs: number;
  /** Part of a drill. */
  rehearsal?: boolean;
  /** A backup that is brought back from the repository first. */
  fetch?: string;
}

/** Says what to go to, from what is there. */
export type Chooser = (present: Present) => Promise<Choice>;

/** `data` of the program's config. */
interface DataValues {
  generation: string;
  restoreFrom?: string;
  only?: DataPart;
}

interface Move {
  target: ReleaseRecord;
  present: ReleaseRecord;
  values: DataValues;
  loss: LossPreview;
}

/**
 * Goes to a release together with its data: verified beforehand, shown with what would be missing, agreed to, and then an
 * update like any other, which backs up the present data first: unless told not to, as where Qdrant is too ill for it.
 */
export async function moveData(ws: Workspace, options: MoveOptions, choose: Chooser): Promise<Outcome> {
  if (options.dryRun) return dryMove(ws, options, choose);
  return Run.conduct(ws, { command: options.command, waitMs: options.waitMs, rehearsal: options.rehearsal === true }, async (run) => {
    const present = await recover(run, gone(options));
    if (options.fetch !== undefined) await bringBack(run, options.fetch);
    const move = await prepare(ws, present, choose, (line) => run.say(line));
    const config = new TempConfig(ws, { ...rollbackValues(ws, move.target, run.attempt, options.noBackupReason), data: move.values });
    try {
      const plan = await previewPlan(run, config);
      lossLines(move.loss, move.present).forEach((line) => run.say(line));
      await ensureImages(run);
      run.checkpoint();
      if (!(await agreed(run, options.yes, move, plan.tag))) return { exitCode: EXIT.refused, summary: "not confirmed", next: "" };
      run.checkpoint();
      await run.announce({ tag: plan.tag, from: plan.presentTag });
      const failure = await update(run, config);
      if (failure !== null) return await restorePresent(run, present, failure);
      const { outcome } = await finished(run);
      return { ...outcome, summary: `${outcome.summary}; data generation ${move.values.generation}` };
    } finally {
      config.remove();
    }
  });
}

async function dryMove(ws: Workspace, options: MoveOptions, choose: Chooser): Promise<Outcome> {
  const engine = new Engine(ws, {}, null);
  await openStack(ws, engine);
  const say = (line: string): void => print([line]);
  const move = await prepare(ws, await readPresent(engine, ws), choose, say);
  lossLines(move.loss, move.present).forEach(say);
  return dryRun(ws, options.command, { ...rollbackValues(ws, move.target, "", options.noBackupReason), data: move.values }, gone(options));
}

/** Whether data that somebody removed stands in the way: it cannot be backed up first. */
const gone = ({ noBackupReason }: MoveOptions): "kept" | "replaced" => (noBackupReason === undefined ? "kept" : "replaced");

/** @throws ReleaseError when there is nothing to go to, or the backup is no good: nothing was touched then */
async function prepare(ws: Workspace, state: Present, choose: Chooser, say: (line: string) => void): Promise<Move> {
  const present = state.ledger.at(-1);
  const choice = await choose(state);
  if ("why" in choice) throw errors.usage(choice);
  if (present === undefined) throw errors.usage({ why: `nothing is released on ${ws.stack}`, next: "run scripts/deploy.sh first" });
  await refuseWhileTried(ws.stack, present.tag);
  const { target, data } = choice;
  if ("generation" in data) {
    say(`counting what was written since data generation ${data.generation} was left`);
    const loss = await previewLoss(ws, backupOfGeneration(data.generation, state.ledger), present);
    return { target, present, values: data, loss };
  }
  say(`verifying backup ${data.restoreFrom}`);
  await assertUsable(path.join(ws.paths.backups, data.restoreFrom));
  assertKnown(ws, data.restoreFrom);
  say("counting what was written since");
  const loss = await previewLoss(ws, data.restoreFrom, present, data.only);
  return { target, present, values: { generation: await nameFor(ws, data, state.ledger, target), ...data }, loss };
}

/** A name of its own, or that of a move to the same data that was stopped halfway and is gone on with. */
async function nameFor(ws: Workspace, { restoreFrom }: Extract<Chosen["data"], { restoreFrom: string }>, ledger: readonly ReleaseRecord[], target: ReleaseRecord): Promise<string> {
  const names = stackNames(ws.stack, target.settings.volumes);
  const serving = (await readLive(ws.stack))?.table.serving ?? null;
  const name = await generationName(restoreFrom, async (candidate) => {
    if (ledger.some(({ generation }) => generation === candidate)) return false;
    if (serving !== null && generationOf(serving) === candidate) return true;
    const record = await readRecord(ws.paths, candidate);
    if (record !== null && record.done === null) return true;
    const volumes = volumeNames(names, storageOf(candidate));
    const there = await Promise.all(volumes.map((volume) => dockerCallOrNull(`inspect volume ${volume}`, (client) => client.getVolume(volume).inspect())));
    return there.every((volume) => volume === null);
  });
  if (name === null) throw errors.usage({ why: `every name for a generation from ${restoreFrom} is taken`, next: "remove volumes that are not needed: docker volume ls --filter label=pbjrag.generation" });
  return name;
}

/** What would be missing has to be agreed to by a person, on every stack: with `--yes` where there is none to ask. */
async function agreed(run: Run, yes: boolean, { loss, values }: Move, tag: string): Promise<boolean> {
  const question = `Go to ${tag} on data generation ${values.generation}?`;
  if (yes || losesNothing(loss)) return confirmed(run, yes, question);
  if (!process.stdin.isTTY) throw errors.usage({ why: "data that was written since would be missing, and there is nobody to ask", next: "read the lines above, then run again with --yes" });
  return asked(run, question);
}
