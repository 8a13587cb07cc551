/** Journals of runs as they are written, shortened: each line is one of a real run, its moment in seconds after the run began. */
import type { JournalEvent, NewEvent } from "../../components/runtime/journal.js";

export const BEGAN = new Date("2026-11-25T04:09:58.000Z");

export const at = (seconds: number): Date => new Date(BEGAN.getTime() + seconds * 1000);

type Line = readonly [seconds: number, phase: NewEvent["phase"], event: NewEvent["event"], message?: string, data?: Record<string, unknown>];

export function journal(run: string, lines: readonly Line[]): JournalEvent[] {
  return lines.map(([seconds, phase, event, message = "", data]) => ({ time: at(seconds).toISOString(), run, phase, event, message, ...(data === undefined ? {} : { data }) }));
}

const PLAN = { older: false, containers: [], notices: ["changes settings: app.memory: 512MiB -> 640MiB"] };
const plan = (step: string, tag: string, revision: string, presentTag: string | null, presentRevision: string | null): Record<string, unknown> => ({ ...PLAN, step, tag, revision, presentTag, presentRevision });
const before = (tag: string, revision: string, from: string, fromRevision: string, step = "deploy"): Line[] => [
  [0.4, "recover", "start"],
  [1.1, "recover", "done"],
  [1.2, "preview", "start"],
  [2.8, "plan", "info", PLAN.notices[0], plan(step, tag, revision, from, fromRevision)],
  [4.1, "preview", "done"],
  [4.2, "update", "start"],
  [6.2, "plan", "info", PLAN.notices[0], plan(step, tag, revision, from, fromRevision)],
];
export const BACKUP_DONE = {
  backup: "pre-deploy-20261125-041005", reason: "", qdrantVersion: "1.19.0", collections: { notes: 2000, pbjrag_chunks: 40 }, files: 3, bytes: 4476905, tookMs: 4493, proven: true, paused: null,
};
const backedUp = (tag: string): Line[] => [
  [7.0, "backup", "start", `backup before ${tag}`, { before: tag }],
  [8.8, "backup", "progress", "collection notes: 2,000 points saved and counted again, 200 of them compared, 3 queries as well", { collection: "notes", points: 2000 }],
  [11.6, "backup", "done", "backup pre-deploy-20261125-041005", BACKUP_DONE],
];
const built: Line[] = [
  [11.7, "image", "start", "building image-v3.0.0-c2efaa7a2226"],
  [12.8, "image", "done", "image-v3.0.0-c2efaa7a2226 is built"],
  [12.8, "start", "start", "starting v3.0.0-74256c58"],
  [13.8, "start", "done", "the containers are made"],
];
const gated = (tag: string, revision: string): Line[] => [
  [13.9, "gate", "start", `proving ${tag} (${revision})`, { revision, role: "serving" }],
  [14.4, "gate", "progress", "1 of 3 rounds in a row have passed", { revision, atMs: 1557 }],
  [16.1, "gate", "done", `${tag} passed 3 rounds in a row`, {
    revision, passes: 3, rounds: 4, probes: 24, latency: { health: { p50: 3, p99: 9 }, script: { p50: 21.5, p99: 80 } }, collections: { notes: { status: "green", count: 2000 } }, qdrantVersion: "1.19.0", tookMs: 2201,
  }],
];

/** v2.9.0 -> v3.0.0, with 20 sessions open. */
export const deployed = journal("deploy-20261125-040958-39a728", [
  ...before("v3.0.0", "v3.0.0-74256c58", "v2.9.0", "v2.9.0-8488f628"), ...backedUp("v3.0.0"), ...built, ...gated("v3.0.0", "v3.0.0-74256c58"),
  [16.2, "route", "start", "moving traffic to v3.0.0 (v3.0.0-74256c58)", { revision: "v3.0.0-74256c58", seq: 2 }],
  [16.8, "route", "progress", "v3.0.0 (v3.0.0-74256c58) serves", { switchedAt: at(16.399).toISOString(), changed: true, tookMs: 396 }],
  [17.1, "sessions", "info", "v2.9.0 keeps 20 sessions", { revision: "v2.9.0-8488f628", open: 20 }],
  [17.2, "route", "done", "v3.0.0 (v3.0.0-74256c58) serves", { switchedAt: at(16.399).toISOString(), digest: "75e9" }],
  [18.1, "update", "done"],
  [18.2, "verify", "start"],
  [19.0, "verify", "done"],
]);

const TRACEBACK = ["  File \"/app/webui/store.py\", line 3, in <module>", "    from pbjrag_store_v4 import Store", "ModuleNotFoundError: No module named 'pbjrag_store_v4'"];
const SAYS = "container pbjrag-dev-app-v3.1.0-5fa81d95-1: its script raises an error (GET /_stcore/script-health-check answered 503)";

/** v3.0.0 -> v3.1.0, whose script raises; put back. */
export const failedGate = journal("deploy-20261125-041023-b50012", [
  ...before("v3.1.0", "v3.1.0-5fa81d95", "v3.0.0", "v3.0.0-74256c58"), ...backedUp("v3.1.0"), ...built,
  [13.9, "gate", "start", "proving v3.1.0 (v3.1.0-5fa81d95)", { revision: "v3.1.0-5fa81d95", role: "serving" }],
  [14.1, "gate", "progress", `${SAYS} (and 1 more)`, { revision: "v3.1.0-5fa81d95", atMs: 197 }],
  [19.5, "gate", "progress", `${SAYS} (and 1 more)`, { revision: "v3.1.0-5fa81d95", atMs: 5630 }],
  [34.6, "gate", "failed", `v3.1.0 (v3.1.0-5fa81d95) did not pass the gate, no user was sent to it: ${SAYS}`, {
    code: "gateFailed", exitCode: 3, what: "v3.1.0 (v3.1.0-5fa81d95) did not pass the gate, no user was sent to it", why: `${SAYS}; its log ends with: ${TRACEBACK[2]}`,
    next: "read logs/app-v3.1.0-5fa81d95-20261125-041058.log, correct the release at a new tag and deploy that", lines: TRACEBACK,
  }],
  [34.8, "update", "failed"],
  [34.9, "reapply", "start", "applying v3.0.0-74256c58 again"],
  [35.0, "update", "start"],
  [37.2, "plan", "info", "", plan("unchanged", "v3.0.0", "v3.0.0-74256c58", "v2.9.0", "v2.9.0-8488f628")],
  [38.9, "update", "done"],
  [39.1, "reapply", "done", "v3.0.0 serves"],
]);

/** v3.0.0 -> v2.9.0, which is warm. */
export const warmRollback = journal("rollback-20261125-040958-91e43e", [
  [0.35, "warm", "start", "rolling back to v2.9.0, which is warm", { tag: "v2.9.0", revision: "v2.9.0-8488f628" }],
  [0.5, "warm", "done", "v2.9.0 serves again", { switchedAt: at(0.41).toISOString() }],
  ...before("v2.9.0", "v2.9.0-8488f628", "v3.0.0", "v3.0.0-74256c58", "rollback"), ...backedUp("v2.9.0"), ...gated("v2.9.0", "v2.9.0-8488f628"),
  [16.2, "route", "start", "moving traffic to v2.9.0 (v2.9.0-8488f628)", { revision: "v2.9.0-8488f628", seq: 3 }],
  [16.4, "route", "progress", "v2.9.0 (v2.9.0-8488f628) serves", { switchedAt: at(0.41).toISOString(), changed: true, tookMs: 118 }],
  [16.7, "sessions", "info", "12 sessions on v3.0.0 closed; they connect again to v2.9.0", { revision: "v3.0.0-74256c58", closed: 12 }],
  [16.8, "route", "done", "v2.9.0 (v2.9.0-8488f628) serves", { switchedAt: at(0.41).toISOString(), digest: "a2f0" }],
  [17.1, "update", "done"],
]);

/** v3.0.0 on data from a backup, while writes are paused; its copy of the backup did not leave the machine. */
export const restored = journal("restore-20261125-050000-0a1b2c", [
  ...before("v3.0.0", "v3.0.0-99999999", "v3.0.0", "v3.0.0-74256c58", "rollback"), ...backedUp("v3.0.0"),
  [11.7, "send", "start", "backup pre-deploy-20261125-041005 leaves this machine", { backup: "pre-deploy-20261125-041005" }],
  [11.8, "restore", "start", "making data generation g7 from pre-deploy-20261125-030000", { generation: "g7" }],
  [12.4, "send", "done", "backup pre-deploy-20261125-041005 is on this machine alone: no route to host", {
    backup: "pre-deploy-20261125-041005", sent: false, known: false, snapshot: "", added: 0, tookMs: 600, problem: "no route to host", next: "scripts/backups.sh send pre-deploy-20261125-041005",
  }],
  [13.6, "restore", "done", "data generation g7 is made", { generation: "g7", from: "pre-deploy-20261125-030000", collections: { notes: 1900 }, files: 2, bytes: 3000000, kept: false, tookMs: 1800 }],
  ...gated("v3.0.0", "v3.0.0-99999999"),
  [16.2, "route", "start", "moving traffic to v3.0.0 (v3.0.0-99999999)", { revision: "v3.0.0-99999999", seq: 4 }],
  [16.6, "route", "info", "writes were paused for 412 ms: 3 websockets closed, at least 1 request refused", { pausedMs: 412, closed: 3, refused: 1, ended: 0 }],
  [16.8, "route", "progress", "v3.0.0 (v3.0.0-99999999) serves", { switchedAt: at(16.5).toISOString(), changed: true, tookMs: 412 }],
  [17.0, "sessions", "info", "open sessions could not be counted: HAProxy's master does not answer", { error: "HAProxy's master does not answer" }],
  [17.2, "route", "done", "v3.0.0 (v3.0.0-99999999) serves", { switchedAt: at(16.5).toISOString(), digest: "75e9" }],
  [18.1, "update", "done"],
]);
