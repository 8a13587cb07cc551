import { readFileSync } from "node:fs";
import { EXIT } from "../../components/runtime/errors.js";
import { readLive } from "../../components/traffic/live.js";
import { assertNotFrozen } from "../../components/watch/freeze.js";
import { afterAdopted, afterFailed, endAdoption } from "./adoption.js";
import type { BackupChoice } from "./backup-flags.js";
import { pruneAfterDeploy } from "./backups/prune.js";
import { canaryKey, type Shares, trialValues, tryCanary } from "./canary.js";
import { assertConfig } from "./check-config.js";
import { assertChecklist } from "./checklist/required.js";
import { confirmed } from "./confirm.js";
import { dryRun } from "./dry-run.js";
import { finished, writeDown } from "./finished.js";
import { ensureImages } from "./images.js";
import { misreadLines } from "./misread.js";
import { endLines, type Outcome } from "./outcome.js";
import { print } from "./output.js";
import { lookAtPresent, readPresent, type Present } from "./present.js";
import { isNoChange, previewPlan, refuseOlder } from "./preview.js";
import { recover } from "./recover.js";
import { Run } from "./run.js";
import { skipping, withoutTrial } from "./stack-file.js";
import { TempConfig } from "./temp-config.js";
import { restorePresent, update } from "./update.js";
import { verifyServing } from "./verify.js";
import { tagOrNewest } from "./version.js";
import type { Workspace } from "./workspace.js";

export interface DeployOptions extends BackupChoice {
  /** Git tag; the newest release tag of the source when absent. */
  version?: string;
  /** `--skip-checklist`'s reason; absent: on production a pass of the checklist is needed. */
  skipChecklistReason?: string;
  dryRun: boolean;
  yes: boolean;
  waitMs: number;
  /** It is tried with these shares of the users first; absent: it is not. */
  canary?: Shares;
  /** Afterwards, for `watch.for`. */
  watch: boolean;
  detach: boolean;
}

/** Releases a tag: preview, backup, start, gate, switch; the former release is put back if it fails. */
export async function deploy(ws: Workspace, options: DeployOptions): Promise<Outcome> {
  const settings = assertConfig(ws, { version: options.version ?? "v0.0.0", ...oneRunValues(ws, options), ...shownCanary(ws, options) });
  const version = await tagOrNewest(ws, settings, options.version);
  const values = { version, ...oneRunValues(ws, options) };
  if (options.dryRun) return dryRun(ws, "deploy", options.canary === undefined ? values : await dryTrial(ws, values, options.canary));
  const checked = await assertChecklist(ws, settings, version);
  const released: { by?: Run } = {};
  const outcome = await Run.conduct(ws, { command: "deploy", waitMs: options.waitMs }, (run) => {
    if (checked !== "") run.journal.write({ phase: "checklist", event: "info", message: checked });
    return release(run, options, values, () => { released.by = run; });
  });
  if (released.by === undefined || outcome.exitCode === EXIT.interrupted || !options.watch || settings.watch.for === 0) return outcome;
  // Whoever stopped it at its very end wants no hour of watching either.
  if (released.by.interrupted) return said({ exitCode: EXIT.interrupted, summary: `${outcome.summary}; it is not watched`, next: "scripts/watch.sh watches it" });
  const { watch } = await import("./watch/watch.js");
  const watched = await watch(ws, { forMs: settings.watch.for, detach: options.detach, json: false });
  if (watched.exitCode !== EXIT.done || outcome.exitCode === EXIT.done) return watched;
  // What was unverified before is no better for having been watched, and is said last.
  return said(outcome);
}

function said(outcome: Outcome): Outcome {
  print(endLines(outcome));
  return outcome;
}

async function release(run: Run, options: DeployOptions, values: Record<string, unknown> & { version: string }, released: () => void): Promise<Outcome> {
  await assertNotFrozen(run.ws.paths, async () => (await readLive(run.ws.stack))?.table.serving?.revision ?? null);
  misreadLines(run.ws).forEach((line) => run.say(line));
  const found = await recover(run);
  const present = found.ledger.length === 0 && (await endAdoption(run)) ? await readPresent(run.engine, run.ws) : found;
  if (options.canary !== undefined) {
    const ended = await tryCanary(run, values, options.canary, options.yes, present);
    if (ended !== null) return ended;
  }
  const config = new TempConfig(run.ws, { ...values, attempt: run.attempt === "" ? undefined : run.attempt });
  try {
    const plan = await previewPlan(run, config);
    refuseOlder(plan);
    await ensureImages(run);
    run.checkpoint();
    if (plan.step === "unchanged" && (await isNoChange(run, config))) return await probePresent(run, present);
    if (!(await confirmed(run, options.yes || options.canary !== undefined, `Release ${plan.tag} on ${run.ws.stack}?`))) {
      return { exitCode: EXIT.refused, summary: "not confirmed", next: "" };
    }
    run.checkpoint();
    await run.announce({ tag: plan.tag, from: plan.presentTag });
    const failure = await update(run, config);
    if (failure !== null) {
      const failed = await restorePresent(run, present, failure);
      return present.ledger.length === 0 ? await afterFailed(run, failed) : failed;
    }
    const { outcome: done, present: after } = await finished(run);
    const outcome = { ...done, summary: `${done.summary}${await afterAdopted(run)}` };
    if (outcome.exitCode === EXIT.done && after !== null) await pruneAfterDeploy(run, after);
    released();
    return outcome;
  } finally {
    config.remove();
  }
}

async function probePresent(run: Run, present: Present): Promise<Outcome> {
  const record = present.ledger.at(-1);
  if (record === undefined) return { exitCode: EXIT.refused, summary: "nothing is released", next: "" };
  // The run that released it may have been killed before it came to this.
  writeDown(run, present, record);
  const verdict = await verifyServing(run.ws, record);
  return verdict.healthy
    ? { exitCode: EXIT.done, summary: `${record.tag} runs already and is healthy at ${verdict.url}; nothing was changed`, next: "" }
    : { exitCode: EXIT.unverified, summary: `${record.tag} runs already, but ${verdict.reason}`, next: "see scripts/status.sh; scripts/rollback.sh goes back" };
}

/** What the command sets for this one release. */
function oneRunValues(ws: Workspace, { noBackupReason, skipChecklistReason }: DeployOptions): Record<string, unknown> {
  const text = readFileSync(ws.stackFile, "utf8");
  // Whatever the file tries: without --canary a release is released.
  return { ...skipping(text, "backup", noBackupReason), ...skipping(text, "checklist", skipChecklistReason), ...withoutTrial(text) };
}

/** The shares that were typed are refused as those of the file are. */
function shownCanary(ws: Workspace, { canary, version = "v0.0.0" }: DeployOptions): Record<string, unknown> {
  return canary === undefined ? {} : { canary: canaryKey(ws, version, canary) };
}

async function dryTrial(ws: Workspace, values: Record<string, unknown> & { version: string }, shares: Shares): Promise<Record<string, unknown>> {
  return trialValues(ws, values, shares, (await lookAtPresent(ws)).ledger.at(-1));
}
