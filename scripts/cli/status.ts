import { EXIT } from "../../components/runtime/errors.js";
import { describeLock, holderInWords } from "../../components/runtime/lock.js";
import { assertDocker, listByLabels } from "../../components/runtime/docker.js";
import { listBackups } from "../../components/backup/list.js";
import { quantile } from "../../components/metrics/histogram.js";
import { type ContainerUse, resourceUse } from "../../components/metrics/resources.js";
import { errorRate, type TrafficByRevision } from "../../components/metrics/traffic.js";
import { cursorAt, readTraffic } from "../../components/metrics/traffic-log.js";
import { readLive } from "../../components/traffic/live.js";
import { openSessions } from "../../components/traffic/sessions.js";
import { readFreeze } from "../../components/watch/freeze.js";
import { isWatching, readWatch } from "../../components/watch/state.js";
import { findDrift, inASentence } from "./drift/drift.js";
import type { Outcome } from "./outcome.js";
import { print, printJson } from "./output.js";
import { lookAtPresent } from "./present.js";
import { settingsLeftIn } from "./settings-left.js";
import { stateLost } from "./state-copy.js";
import { roleWords } from "./role-words.js";
import { type Status, trafficMs } from "./status-model.js";
import { describe } from "./status-words.js";
import { trialOn } from "./trial.js";
import { verifyServing, type Verdict } from "./verify.js";
import { running } from "./watch/words.js";
import type { Workspace } from "./workspace.js";

const backupsShown = 5;

/** Reads only; exit 0, or 5 when what serves is not healthy. */
export async function status(ws: Workspace, json: boolean): Promise<Outcome> {
  const [found, traffic, use] = await look(ws);
  const whole: Status = { ...found, traffic: inNumbers(traffic), use };
  if (json) printJson(whole);
  else print(describe(whole, traffic, Date.now()));
  const exitCode = found.outcome === "unhealthy" ? EXIT.unverified : EXIT.done;
  return { exitCode, summary: found.reason, next: "" };
}

async function look(ws: Workspace): Promise<[Omit<Status, "traffic" | "use">, TrafficByRevision, ContainerUse[]]> {
  await assertDocker();
  return Promise.all([collect(ws), readTraffic(ws.stack, cursorAt(Date.now() - trafficMs)).then(({ traffic }) => traffic), resourceUse(ws.stack)]);
}

function inNumbers(traffic: TrafficByRevision): Status["traffic"] {
  return Object.fromEntries(
    Object.entries(traffic).map(([revision, one]) => {
      const [p50, p99] = [0.5, 0.99].map((share) => quantile(one.latency, share));
      return [revision, { requests: one.requests, errors: one.errors, errorRate: errorRate(one), p50: p50 ?? null, p99: p99 ?? null }];
    }),
  );
}

async function collect(ws: Workspace): Promise<Omit<Status, "traffic" | "use">> {
  const [present, live, containers, backups] = await Promise.all([
    lookAtPresent(ws), readLive(ws.stack), listByLabels({ stack: ws.stack }, { all: true }), listBackups(ws.paths),
  ]);
  if (present.resources === 0 && live !== null && live.table.serving !== null) {
    throw stateLost(ws, `${live.table.serving.tag} (${live.table.serving.revision}) serves here, and Pulumi's state knows nothing of it`);
  }
  const record = present.ledger.at(-1) ?? null;
  const canary = await trialOn(ws.stack);
  const open = live === null ? { byRevision: {}, workers: 0 } : await openSessions(ws.stack);
  const verdict: Verdict | null = record === null ? null : await verifyServing(ws, record);
  const drift = (await findDrift(ws, present)).map(inASentence);
  const lock = describeLock(ws.paths);
  const freeze = readFreeze(ws.paths);
  const held = lock !== null && lock.state === "alive";
  return {
    stack: ws.stack,
    url: text(present.outputs["url"]) ?? live?.baseUrl ?? null,
    version: record?.tag ?? null,
    revision: record?.revision ?? null,
    since: record?.switchedAt ?? null,
    previous: text(present.outputs["previous"]),
    data: record === null ? null : { generation: record.generation, restoredFrom: present.ledger.find(({ generation }) => generation === record.generation)?.restoredFrom ?? "" },
    outcome: verdict === null ? "not released" : verdict.healthy ? "healthy" : "unhealthy",
    reason: verdict?.reason ?? "",
    sessions: open.byRevision,
    proxyWorkers: open.workers,
    containers: containers.map((c) => ({ name: (c.Names[0] ?? "").replace(/^\//, ""), role: roleWords(c.Labels, live?.table ?? null), state: c.State, status: c.Status })),
    backup: backups.at(-1) ?? null,
    backups: backups.slice(-backupsShown).reverse(),
    releases: present.ledger.map(({ seq, tag, revision, kind, outcome, switchedAt, backup, generation }) => ({ seq, tag, revision, kind, outcome, switchedAt, backup, generation })),
    lock: { held, holder: held ? holderInWords(lock.holder) : "" },
    canary,
    watch: record === null ? null : watchOf(ws, record.revision),
    frozen: freeze !== null && freeze.revision === record?.revision ? `since ${freeze.at}: ${freeze.what}` : "",
    drift,
    settingsLeft: record === null ? [] : settingsLeftIn(ws, record).map(({ words }) => words),
  };
}

function watchOf({ paths }: Workspace, revision: string): Status["watch"] {
  const found = readWatch(paths);
  if (found === null || found.target.revision !== revision) return null;
  const runs = isWatching(found);
  const ended = found.ending === "" ? "was ended before its time; scripts/watch.sh goes on with it" : found.ending;
  return { running: runs, words: runs ? running(found) : ended, endsAt: new Date(found.endsAt).toISOString(), met: found.met };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
