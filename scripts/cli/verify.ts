import { probeOnce } from "../../components/gate/probe-once.js";
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
}

/**
 * One look at what serves: the front door serves this release, and each of its containers passes one round of probes. What
 * cannot be looked at, as Docker does not answer, is not healthy: that is no error of the command that asks.
 */
export async function verifyServing(ws: Workspace, record: ReleaseRecord): Promise<Verdict> {
  try {
    return await look(ws, record);
  } catch (error) {
    return { healthy: false, reason: inWords(error), url: "" };
  }
}

async function look(ws: Workspace, record: ReleaseRecord): Promise<Verdict> {
  const live = await readLive(ws.stack);
  if (live === null) return { healthy: false, reason: "the front door is not there or does not answer", url: "" };
  const serving = live.table.serving;
  if (serving?.revision !== record.revision) {
    return { healthy: false, reason: `the front door serves ${serving?.revision ?? "nothing"}, not ${record.revision}`, url: live.baseUrl };
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
  return { healthy: probed.ok, reason: probed.reason, url: live.baseUrl };
}
