/** What the metrics tell of a stack's operation, read from its own files. */
import { listBackups } from "../../components/backup/list.js";
import type { Operations } from "../../components/metrics/operations.js";
import type { Measured } from "../../components/metrics/prometheus.js";
import { describeLock } from "../../components/runtime/lock.js";
import type { DataPaths } from "../../components/runtime/paths.js";
import type { LiveTraffic } from "../../components/traffic/live.js";
import { readFreeze } from "../../components/watch/freeze.js";
import { isWatching, readWatch } from "../../components/watch/state.js";
import { readLastRun } from "./last-run.js";

/** Reads only. */
export async function operationsOf(paths: DataPaths, { table, switchedAt }: Pick<LiveTraffic, "table" | "switchedAt">): Promise<Pick<Measured, "releases" | "operations">> {
  const { serving, former, canary } = table;
  const releases = ([[serving, "serving"], [former, "former"], [canary?.revision ?? null, "canary"]] as const)
    .flatMap(([one, role]) => (one === null ? [] : [{ revision: one.revision, tag: one.tag, role }]));
  const [freeze, watch] = [readFreeze(paths), readWatch(paths)];
  const watched = watch !== null && watch.target.revision === serving?.revision ? watch : null;
  return {
    releases,
    operations: {
      servingSince: secondsOf(switchedAt),
      backups: backupsOf(await listBackups(paths)),
      lastRun: lastRunOf(paths),
      frozen: freeze !== null && freeze.revision === serving?.revision,
      locked: describeLock(paths)?.state === "alive",
      watching: watched !== null && isWatching(watched),
      met: watched?.met.map(({ rule }) => rule) ?? [],
    },
  };
}

function backupsOf(backups: Awaited<ReturnType<typeof listBackups>>): Operations["backups"] {
  const proven = backups.findLast((backup) => backup.problem === "" && backup.proven);
  const at = secondsOf(proven?.created ?? "");
  return { count: backups.length, unusable: backups.filter(({ problem }) => problem !== "").length, proven: proven === undefined || at === null ? null : { at, bytes: proven.bytes } };
}

function lastRunOf(paths: DataPaths): Operations["lastRun"] {
  const last = readLastRun(paths);
  return last === null ? null : { command: last.command, exitCode: last.exitCode, endedAt: secondsOf(last.endedAt ?? "") };
}

/** @param iso ISO 8601 */
function secondsOf(iso: string): number | null {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? null : at / 1000;
}
