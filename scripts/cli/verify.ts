import { setTimeout as sleep } from "node:timers/promises";
import { probeOnce } from "../../components/gate/probe-once.js";
import type { Sample } from "../../components/gate/model.js";
import { downReason } from "../../components/gate/verdict.js";
import { stackNames } from "../../components/release/names.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { inWords, readLive } from "../../components/traffic/live.js";
import { secretNames } from "./secrets.js";
import type { Workspace } from "./workspace.js";

export interface Verdict {
  healthy: boolean;
  /** Why not, in words; "" when healthy. */
  reason: string;
  url: string;
  /** The front door leads to it and all its containers run: what is missing is an answer that is quick and good. */
  asRecorded: boolean;
}

/**
 * One look at what serves: the front door serves this release, and each of its containers passes one round of probes. What
 * cannot be looked at, as Docker does not answer, is not healthy: that is no error of the command that asks.
 */
export async function verifyServing(ws: Workspace, record: ReleaseRecord): Promise<Verdict> {
  try {
    return await look(ws, record);
  } catch (error) {
    return { healthy: false, reason: inWords(error), url: "", asRecorded: false };
  }
}

/**
 * The same with the patience of the release's own gate: a busy host answers late, and that alone says nothing of the release. What is not
 * as recorded does not mend by being looked at, and is told at once.
 */
export function verifyPatiently(ws: Workspace, record: ReleaseRecord): Promise<Verdict> {
  const { deadline, interval } = record.settings.gate;
  return untilHealthy(() => verifyServing(ws, record), { deadlineMs: deadline, intervalMs: interval, now: () => performance.now(), pause: (ms) => sleep(ms) });
}

interface Patience {
  deadlineMs: number;
  intervalMs: number;
  /** Milliseconds, never set back. */
  now: () => number;
  pause: (ms: number) => Promise<unknown>;
}

/** @returns the first good verdict, or one that is not as recorded, or the last one before the deadline */
export async function untilHealthy(see: () => Promise<Verdict>, { deadlineMs, intervalMs, now, pause }: Patience): Promise<Verdict> {
  const until = now() + deadlineMs;
  for (;;) {
    const verdict = await see();
    if (verdict.healthy || !verdict.asRecorded || now() >= until) return verdict;
    await pause(intervalMs);
  }
}

async function look(ws: Workspace, record: ReleaseRecord): Promise<Verdict> {
  const live = await readLive(ws.stack);
  if (live === null) return { healthy: false, reason: "the front door is not there or does not answer", url: "", asRecorded: false };
  const serving = live.table.serving;
  if (serving?.revision !== record.revision) {
    return { healthy: false, reason: `the front door serves ${serving?.revision ?? "nothing"}, not ${record.revision}`, url: live.baseUrl, asRecorded: false };
  }
  const probed = await probeOnce({
    stack: ws.stack,
    containers: serving.containers,
    port: serving.port,
    healthPath: record.settings.app.health.path,
    scriptPath: record.settings.app.health.script,
    requestTimeoutMs: record.settings.gate.requestTimeout,
    secretEnv: secretNames(ws),
    qdrantContainer: stackNames(ws.stack).qdrantContainer(record.storage.qdrant),
  });
  return { healthy: probed.ok, reason: probed.reason, url: live.baseUrl, asRecorded: live.look.door.running && allRun(probed.sample) };
}

/** Pure. Null: nothing could be seen. */
export function allRun(sample: Sample | null): boolean {
  if (sample === null) return false;
  const states = [...sample.containers.map(({ state }) => state), ...(sample.qdrant === null ? [] : [sample.qdrant.state])];
  return states.every((state) => state !== null && state.status === "running" && !state.oomKilled && downReason(state) === null);
}
