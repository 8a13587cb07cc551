import { randomBytes } from "node:crypto";
import { sweep } from "../../components/backup/sweep.js";
import { messageOf } from "../../components/runtime/errors.js";
import { endAbandoned } from "../../components/traffic/canary.js";
import { resumeWrites } from "../../components/traffic/freeze.js";
import { abandonedEngineLock } from "./engine-lock.js";
import { endLeftovers } from "./leftovers.js";
import { findDrift, inASentence } from "./drift/drift.js";
import { readKnown } from "./drift/known.js";
import { settleDrift } from "./drift/settle.js";
import { assertServingKnown, removeOrphans } from "./orphans.js";
import { readPresent, type Present } from "./present.js";
import { isKnown, openStack } from "./open-stack.js";
import { sweepReplaced } from "./replace-file.js";
import type { Run } from "./run.js";
import { sweepConfigs, TempConfig } from "./temp-config.js";

/**
 * Makes good what killed runs left, so that the next command just works: their surviving processes are ended, Pulumi's
 * lock and pending operations are cleared, what others did to the stack is taken over or refused, and what a killed run made and nobody is
 * served by is removed.
 *
 * @param data as for {@link settleDrift}
 * @returns the state after that
 * @throws ReleaseError `lockHeld` while a plain `pulumi up` runs, `stateLost` when containers that serve are in no state, `drifted`
 */
export async function recover(run: Run, data: "kept" | "replaced" = "kept"): Promise<Present> {
  return run.during("recover", async () => {
    await endFormer(run);
    if (await openStack(run.ws, run.engine)) run.say(`stack ${run.ws.stack} is new`);
    await run.protectSecrets();
    return clearUp(run, data);
  });
}

/**
 * The same for a command that changes nothing: what killed runs left running is ended, and users get back what those had taken from them;
 * nothing is removed, and no state is made or changed.
 *
 * @returns the state; null where the backend knows no such stack
 * @throws ReleaseError `stateLost` when containers that serve are in no state
 */
export async function recoverOnly(run: Run): Promise<Present | null> {
  return run.during("recover", async () => {
    await endFormer(run);
    if (!(await isKnown(run.ws, run.engine))) return null;
    await run.protectSecrets();
    await thaw(run);
    await endTrial(run);
    const present = await readPresent(run.engine, run.ws);
    for (const drift of await findDrift(run.ws, present)) run.say(inASentence(drift));
    return present;
  });
}

async function endFormer(run: Run): Promise<void> {
  await endLeftovers(run);
  sweepConfigs(run.ws.paths);
  sweepReplaced(run.ws.stackFile);
}

/** For what Pulumi and Docker keep, once nobody works at it any more: also after an update of this run whose Pulumi was killed. */
export async function clearUp(run: Run, data: "kept" | "replaced" = "kept"): Promise<Present> {
  await clearEngineLock(run);
  await thaw(run);
  await endTrial(run);
  await sweep(run.ws.stack, { paths: run.ws.paths, token: randomBytes(5).toString("hex"), say: (line) => run.say(line), assertHolds: () => run.assertHolds() });
  const found = await readPresent(run.engine, run.ws);
  await assertServingKnown(run, found);
  const present = await settleDrift(run, found, data);
  // What was pending is told by the state as it was found: the real `stack import` (seen in 3.256.0) drops it.
  await removeOrphans(run, present, readKnown(found.exported).beingMade);
  if (found.pendingOperations === 0) return present;
  await clearPending(run, found);
  return readPresent(run.engine, run.ws);
}

async function clearEngineLock(run: Run): Promise<void> {
  if (abandonedEngineLock(run.ws) === null) return;
  run.say("clearing the lock of an update that was killed");
  const cancelled = await run.engine.quiet(["cancel", "--yes", "--stack", run.ws.stack]);
  if (cancelled.exitCode !== 0) throw await run.engine.failure("cancel", cancelled);
}

/** Whoever paused writes is gone: users need not wait until its lease ends. */
async function thaw(run: Run): Promise<void> {
  run.assertHolds();
  try {
    if (await resumeWrites(run.ws.stack, { assertHolds: () => run.assertHolds() })) run.say("users can write again, which a run that ended early had paused");
  } catch (error) {
    run.say(`users may not be able to write until a pause, which a run left, ends by itself: ${messageOf(error)}`);
  }
}

/** A canary whose judge is gone gets no users; its containers go with the update that does not declare them. */
async function endTrial(run: Run): Promise<void> {
  run.assertHolds();
  try {
    const tag = await endAbandoned(run.ws.stack, { assertHolds: () => run.assertHolds() });
    if (tag !== null) run.say(`nobody is sent to the canary ${tag} any more, which a run that ended early was judging`);
  } catch (error) {
    run.say(`users may be sent to a canary until its share, which a run left, ends by itself: ${messageOf(error)}`);
  }
}

async function clearPending(run: Run, present: Present): Promise<void> {
  run.say(`clearing ${present.pendingOperations} operations that a killed update left`);
  const config = new TempConfig(run.ws, { reapply: present.ledger.length > 0 ? "true" : undefined });
  try {
    const refreshed = await run.engine.quiet([
      "refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", run.ws.stack, "--config-file", config.file, "--non-interactive", "--color", "never",
    ]);
    if (refreshed.exitCode !== 0) throw await run.engine.failure("refresh", refreshed);
  } finally {
    config.remove();
  }
}
