import { LABEL } from "../../components/runtime/labels.js";
import { listByLabels, removeContainer } from "../../components/runtime/docker.js";
import { endRun } from "../../components/runtime/processes.js";
import { errors, messageOf } from "../../components/runtime/errors.js";
import { readLive } from "../../components/traffic/live.js";
import { engineLock } from "./engine-lock.js";
import { readPresent, type Present } from "./present.js";
import { assertNoServices, nameOf, openStack } from "./open-stack.js";
import type { Run } from "./run.js";
import { stateLost } from "./state-copy.js";
import { TempConfig } from "./temp-config.js";

/**
 * Makes good what a killed run left, so that the next command just works: its surviving processes are ended, Pulumi's
 * lock and pending operations are cleared, and containers that are in no state and carry no traffic are removed.
 *
 * @returns the state after that
 * @throws ReleaseError `lockHeld` while a plain `pulumi up` runs, `stateLost` when containers that serve are in no state
 */
export async function recover(run: Run): Promise<Present> {
  if (run.takenOver !== null) await endLeftovers(run, run.takenOver.run);
  if (await openStack(run.ws, run.engine)) run.say(`stack ${run.ws.stack} is new`);
  await clearEngineLock(run);
  let present = await readPresent(run.engine, run.ws);
  await removeOrphans(run, present);
  if (present.pendingOperations > 0) {
    await clearPending(run, present);
    present = await readPresent(run.engine, run.ws);
  }
  return present;
}

/** Ends what a dead run left behind, by recorded pid and start time. */
export async function endLeftovers(run: Run, deadRun: string): Promise<void> {
  const ended = await endRun(deadRun);
  if (ended.length > 0) run.say(`ended ${ended.length} processes that the killed run ${deadRun} left`);
  run.journal.write({ phase: "recover", event: "info", message: `took over from ${deadRun}`, data: { ended } });
}

async function clearEngineLock(run: Run): Promise<void> {
  const held = engineLock(run.ws);
  if (held === null) return;
  if (held.alive) {
    throw errors.lockHeld({ stack: run.ws.stack, holder: `a pulumi that these scripts did not start (pid ${held.pid}) updates it since ${held.since}` });
  }
  run.say("clearing the lock of an update that was killed");
  const cancelled = await run.engine.quiet(["cancel", "--yes", "--stack", run.ws.stack]);
  if (cancelled.exitCode !== 0) throw await run.engine.failure("cancel", cancelled);
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

/** Containers of this stack that no state knows: a killed run made them, unless the state is lost. */
async function removeOrphans(run: Run, present: Present): Promise<void> {
  const { stack } = run.ws;
  const containers = await listByLabels({ stack }, { all: true });
  const unknown = containers.filter((c) => !present.containerIds.has(c.Id));
  if (unknown.length === 0) return;
  if (present.resources === 0) assertNoServices(run.ws, unknown, "Pulumi's state of it is empty");
  const carrying = await carryingTraffic(run);
  if (carrying === null) return;
  const serving = unknown.filter((c) => carrying.has(nameOf(c)));
  if (serving.length > 0) throw stateLost(run.ws, `${serving.map(nameOf).join(", ")} carry traffic, and Pulumi's state does not know them`);
  for (const container of unknown) {
    run.say(`removing ${nameOf(container)} (${container.Labels[LABEL.role] ?? "unlabelled"}), which a killed run left`);
    try {
      await removeContainer(container.Id);
    } catch (error) {
      run.say(`  not removed: ${messageOf(error)}`);
    }
  }
}

/** Names of the containers that users are on; null where that cannot be seen: then nothing is known to be idle. */
async function carryingTraffic(run: Run): Promise<Set<string> | null> {
  try {
    const table = (await readLive(run.ws.stack))?.table;
    return new Set([...(table?.serving?.containers ?? []), ...(table?.former?.containers ?? [])]);
  } catch (error) {
    run.say(`what serves cannot be seen (${messageOf(error)}): containers that no state knows are left alone`);
    return null;
  }
}
