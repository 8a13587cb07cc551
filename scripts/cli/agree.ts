import { EXIT, errors } from "../../components/runtime/errors.js";
import { defaultRollbackTarget, findReleases } from "../../components/release/ledger.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { dryRun } from "./dry-run.js";
import { Engine } from "./engine.js";
import { finished } from "./finished.js";
import { openStack } from "./open-stack.js";
import type { Outcome } from "./outcome.js";
import { readPresent, type Present } from "./present.js";
import { previewPlan } from "./preview.js";
import { recover } from "./recover.js";
import { describeReleases } from "./releases.js";
import { rollbackValues } from "./rollback-config.js";
import type { RollbackOptions } from "./rollback.js";
import type { Run } from "./run.js";
import { settingsLeftIn, withSettingsLeft } from "./settings-left.js";
import { TempConfig } from "./temp-config.js";
import { restorePresent, update } from "./update.js";
import type { WarmMove } from "./warm.js";
import type { Workspace } from "./workspace.js";

/** The slow part: the update with the target's recorded settings, which backs up, gates and records. */
export async function makeStateAgree(run: Run, options: RollbackOptions, moved: WarmMove | null): Promise<Outcome> {
  if (moved !== null) await run.announce(moved);
  const present = await recover(run);
  const target = await chooseTarget(run.ws, present.ledger, options.tag, moved);
  run.checkpoint();
  const config = new TempConfig(run.ws, rollbackValues(run.ws, target, run.attempt, options.noBackupReason));
  try {
    const plan = await previewPlan(run, config);
    run.checkpoint();
    await run.announce({ tag: plan.tag, from: plan.presentTag });
    const failure = await update(run, config);
    if (failure === null) {
      const { outcome } = await finished(run);
      return withSettingsLeft(outcome, run.ws.stackFile, settingsLeftIn(run.ws, target));
    }
    return await restorePresent(run, present, failure, moved === null ? undefined : unrecorded(moved, failure.what));
  } finally {
    config.remove();
  }
}

/** The route has moved and must not move back to the release that was just abandoned. */
export function unrecorded(moved: WarmMove, what: string): Outcome {
  return {
    exitCode: EXIT.unverified,
    summary: `${moved.tag} serves, but the update that records it did not end well: ${what}`,
    next: `run scripts/rollback.sh ${moved.tag} again: it goes on from here`,
  };
}

/** @throws ReleaseError `neverReleased` with the list of those that were */
async function chooseTarget({ stack, paths }: Workspace, ledger: ReleaseRecord[], tag: string | undefined, moved: WarmMove | null): Promise<ReleaseRecord> {
  const warm = moved === null ? undefined : ledger.findLast((r) => r.revision === moved.revision);
  if (warm !== undefined) return warm;
  const target = tag === undefined ? defaultRollbackTarget(ledger) : findReleases(ledger, tag).at(-1);
  if (target !== undefined && target !== null) return target;
  throw errors.neverReleased({ stack, tag: tag ?? "an earlier release", known: await describeReleases(paths, ledger) });
}

export async function rollbackDryRun(ws: Workspace, options: RollbackOptions): Promise<Outcome> {
  const engine = new Engine(ws, {}, null);
  await openStack(ws, engine);
  const present: Present = await readPresent(engine, ws);
  const target = await chooseTarget(ws, present.ledger, options.tag, null);
  return dryRun(ws, "rollback", rollbackValues(ws, target, "", options.noBackupReason));
}
