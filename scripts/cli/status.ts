import { EXIT } from "../../components/runtime/errors.js";
import { describeLock, holderInWords } from "../../components/runtime/lock.js";
import { assertDocker, listByLabels } from "../../components/runtime/docker.js";
import { listBackups, type BackupSummary } from "../../components/backup/list.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { FIRST_GENERATION } from "../../components/release/names.js";
import { quantile } from "../../components/metrics/histogram.js";
import { type ContainerUse, resourceUse } from "../../components/metrics/resources.js";
import { errorRate, type TrafficByRevision, trafficInWords } from "../../components/metrics/traffic.js";
import { cursorAt, readTraffic } from "../../components/metrics/traffic-log.js";
import { roundSize } from "../../components/settings/units.js";
import { readLive } from "../../components/traffic/live.js";
import { openSessions } from "../../components/traffic/sessions.js";
import { readFreeze } from "../../components/watch/freeze.js";
import { isWatching, readWatch, type WatchState } from "../../components/watch/state.js";
import { findDrift, inASentence } from "./drift/drift.js";
import type { Outcome } from "./outcome.js";
import { print, printJson } from "./output.js";
import { lookAtPresent } from "./present.js";
import { settingsLeftIn } from "./settings-left.js";
import { stateLost } from "./state-copy.js";
import { type Trial, trialInWords, trialOn } from "./trial.js";
import { verifyServing, type Verdict } from "./verify.js";
import { running } from "./watch/words.js";
import type { Workspace } from "./workspace.js";

/** What `status --json` prints. Absent things are null. */
export interface Status {
  stack: string;
  url: string | null;
  version: string | null;
  revision: string | null;
  /** ISO 8601. */
  since: string | null;
  previous: string | null;
  /** Which data serves, and the backup that it was made from ("" where from none). */
  data: { generation: string; restoredFrom: string } | null;
  outcome: "healthy" | "unhealthy" | "not released";
  reason: string;
  sessions: Record<string, number>;
  /** Proxy processes, old ones that still hold sessions included. */
  proxyWorkers: number;
  /** What users got in the last minute, by revision; milliseconds. */
  traffic: Record<string, { requests: number; errors: number; errorRate: number | null; p50: number | null; p99: number | null }>;
  /** Of containers that run: bytes, and seconds of CPU since their start. */
  use: ContainerUse[];
  containers: { name: string; state: string; status: string }[];
  backup: BackupSummary | null;
  backups: BackupSummary[];
  releases: Pick<ReleaseRecord, "seq" | "tag" | "revision" | "kind" | "outcome" | "switchedAt" | "backup" | "generation">[];
  lock: { held: boolean; holder: string };
  /** What is tried beside it. */
  canary: Trial | null;
  /** That of what serves: under way, or how it ended. */
  watch: { running: boolean; words: string; endsAt: string; met: WatchState["met"] } | null;
  /** Why no release is made, or "". */
  frozen: string;
  /** What was done to the stack behind Pulumi's back, a sentence each. */
  drift: string[];
  /** Where the stack's file is not what serves was made with: `app.memory: 1GiB -> 512MiB`, from what it says to what serves. */
  settingsLeft: string[];
}

const backupsShown = 5;
/** Milliseconds of traffic that are told. */
const trafficMs = 60_000;

/** Reads only; exit 0, or 5 when what serves is not healthy. */
export async function status(ws: Workspace, json: boolean): Promise<Outcome> {
  const [found, traffic, use] = await look(ws);
  const whole: Status = { ...found, traffic: inNumbers(traffic), use };
  if (json) printJson(whole);
  else print(describe(whole, traffic));
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
    containers: containers.map((c) => ({ name: (c.Names[0] ?? "").replace(/^\//, ""), state: c.State, status: c.Status })),
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

function describe(s: Status, traffic: TrafficByRevision): string[] {
  if (s.outcome === "not released") {
    return [`stack ${s.stack}: nothing is released yet`, s.lock.held ? `under way: ${s.lock.holder}` : "no release is under way"];
  }
  const sessions = Object.entries(s.sessions).map(([revision, n]) => `${n} on ${revision}`).join(", ");
  return [
    `stack ${s.stack}: ${s.version} (${s.revision}) at ${s.url}, since ${s.since}`,
    `health      ${s.outcome}${s.reason === "" ? "" : `: ${s.reason}`}`,
    `previous    ${s.previous ?? "none"}`,
    `data        generation ${s.data?.generation ?? ""}${s.data === null || s.data.restoredFrom === "" ? "" : `, restored from ${s.data.restoredFrom}`}`,
    `sessions    ${sessions === "" ? "none open" : sessions} (${s.proxyWorkers} proxy workers)`,
    `traffic     in the last minute: ${Object.entries(traffic).map(([revision, one]) => `${revision} ${trafficInWords(one, trafficMs)}`).join("; ") || "no request"}`,
    `lock        ${s.lock.held ? s.lock.holder : "free"}`,
    ...(s.canary === null ? [] : [`canary      ${trialInWords(s.canary)}`]),
    `watch       ${s.watch === null ? "none" : s.watch.words}${s.watch?.running === true ? s.watch.met.map(({ what }) => `; ${what}`).join("") : ""}`,
    ...(s.frozen === "" ? [] : [`frozen      ${s.frozen}; scripts/watch.sh --thaw permits releases again`]),
    ...s.drift.map((sentence) => `drift       ${sentence}`),
    ...s.settingsLeft.map((words) => `settings    the stack's file is not what serves: ${words}`),
    "containers",
    ...s.containers.map((c) => `  ${c.name}  ${c.status}${memoryWords(s.use.find(({ container }) => container === c.name))}`),
    "backups",
    ...(s.backups.length === 0 ? ["  none"] : s.backups.map((b) => `  ${b.name}`)),
    "releases",
    ...s.releases.map((r) => `  #${r.seq} ${r.tag} (${r.revision}) ${r.kind}${r.outcome === "abandoned" ? ", abandoned" : ""}${r.generation === FIRST_GENERATION ? "" : ` on data ${r.generation}`}, ${r.switchedAt}`),
  ];
}

function memoryWords(use: ContainerUse | undefined): string {
  return use === undefined ? "" : `  ${roundSize(use.memory)} of ${roundSize(use.limit)}`;
}
