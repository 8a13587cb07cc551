import { probeOnce } from "../../components/gate/probe-once.js";
import { messageOf } from "../../components/runtime/errors.js";
import { withoutCanary } from "../../components/traffic/canary.js";
import { withoutPause } from "../../components/traffic/freeze.js";
import { applyTable, entranceOf, type LiveTraffic, readLive } from "../../components/traffic/live.js";
import type { TrafficTable } from "../../components/traffic/model.js";
import type { Run } from "./run.js";
import { secretNames } from "./secrets.js";
import { warmTarget } from "./warm-target.js";

export interface WarmMove {
  tag: string;
  revision: string;
  /** Tag of what served. */
  from: string | null;
}

/** Milliseconds that the one probe before a warm move may take. */
const probeDeadline = 800;
/** Milliseconds from this process's start for which a look that began with it is recent: not after a question, or a wait for the lock. */
const recentMs = 3000;

/**
 * Moves the route to the former release at once if that is what is asked for and it still answers. Everything it needs
 * is in the live proxy, so Pulumi is not asked: that alone would take longer than the whole move.
 *
 * @param look one that has begun with this process, or null
 * @returns null when there is no warm release to move to; the slow way follows then
 */
export async function moveWarm(run: Run, tag: string | undefined, look: Promise<LiveTraffic | null> | null): Promise<WarmMove | null> {
  const early = performance.now() < recentMs ? await look : null;
  const live = early ?? (await readLive(run.ws.stack).catch(() => null));
  if (live === null) return null;
  const { table } = live;
  const former = warmTarget(table, tag);
  if (former === null) return null;
  const probed = await probeOnce({
    stack: run.ws.stack, containers: former.containers, port: former.port, healthPath: former.healthPath, scriptPath: "",
    requestTimeoutMs: probeDeadline, secretEnv: secretNames(run.ws), qdrantContainer: "",
  }, () => Promise.resolve(entranceOf(live)));
  if (!probed.ok) {
    run.say(`${former.tag} is warm, but ${probed.reason}; going the slow way`);
    return null;
  }
  run.journal.write({ phase: "warm", event: "start", message: `rolling back to ${former.tag}, which is warm`, data: { tag: former.tag, revision: former.revision } });
  try {
    const { switchedAt } = await applyTable(run.ws.stack, warmTable(table), { assertHolds: () => run.assertHolds(), look: live.look });
    run.journal.write({ phase: "warm", event: "done", message: `${former.tag} serves again`, data: { switchedAt } });
  } catch (error) {
    run.journal.failed("warm", error);
    run.say(`the warm move failed (${messageOf(error)}); going the slow way`);
    return null;
  }
  run.say(`${former.tag} serves again; now the state is made to agree`);
  return { tag: former.tag, revision: former.revision, from: table.serving?.tag ?? null };
}

/** The table after going back to the former release: what was serving is abandoned, a canary is over, and so is a pause that a killed run left. Pure. */
export function warmTable(table: TrafficTable): TrafficTable {
  return { ...withoutCanary(withoutPause(table)), seq: table.seq + 1, serving: table.former, former: table.serving, abandoned: true, rollbackTo: null };
}
