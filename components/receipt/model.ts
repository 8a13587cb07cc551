/** What is kept of each run that changed, or was to change, what a stack serves: `reports/<stack>/<stamp>-<tag>.json`. */
import { z } from "zod";
import { canarySchema } from "./canary.js";
import { trafficSchema } from "./traffic.js";
import { watchedSchema } from "./watched.js";

const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
/** ISO 8601, UTC. */
const time = z.iso.datetime();
const revisionOf = { revision: z.string(), /** "" where it is not known. */ tag: z.string() };

/** What took a time of its own. `deploy` and the like begin at 0. */
const span = z.object({
  /** Of the journal, such as `backup`, `gate`. */
  phase: z.string(),
  /** In words. */
  label: z.string(),
  /** Since the run began. */
  start: seconds,
  end: seconds,
  /** `open`: the run ended before it did. */
  state: z.enum(["done", "failed", "open"]),
});

/** One proving of a revision. */
const gate = z.object({
  ...revisionOf,
  /** Null: the run ended before it was decided. */
  passed: z.boolean().nullable(),
  /** Why not, or what was missing last; "" when it passed. */
  reason: z.string(),
  seconds,
  /** Rounds of probes; null where it did not pass. */
  rounds: count.nullable(),
  /** HTTP requests to the app; null where that was not told. */
  probes: count.nullable(),
  /** Milliseconds, by probe: `health`, `script`, `page`. */
  latency: z.record(z.string(), z.object({ p50: z.number(), p99: z.number() })),
  /** Exact counts in Qdrant. */
  collections: z.record(z.string(), z.object({ status: z.string(), count })),
  /** What it said on the way, when that changed. */
  seen: z.array(z.object({ at: seconds, words: z.string() })),
});

const sessions = z.discriminatedUnion("measured", [
  z.object({
    measured: z.literal(true),
    /** Open on a release that keeps them. */
    kept: z.array(z.object({ ...revisionOf, count })),
    /** Closed by the run, or ended with the containers that it removes. */
    cut: z.array(z.object({ ...revisionOf, count, why: z.string() })),
  }),
  z.object({ measured: z.literal(false), why: z.string() }),
]);

const backup = z.object({
  /** Directory below `backups/<stack>/`; "": none was made. */
  name: z.string(),
  /** Why none was made, or why it failed; "" otherwise. */
  reason: z.string(),
  /** The release whose data it holds; "" before the first. */
  of: z.string(),
  seconds,
  bytes: count,
  files: count,
  qdrantVersion: z.string(),
  /** Points, and how many of them, and of queries, were compared with the live Qdrant; null: none were. */
  collections: z.array(z.object({ name: z.string(), points: count, compared: z.object({ points: count, queries: count }).nullable() })),
  /** As the manifest has it; null: there is no backup, or its manifest cannot be read. */
  proof: z.object({ restored: z.boolean(), counted: z.boolean(), sampled: z.boolean(), read: z.boolean() }).nullable(),
  /** Of `manifest.json`, hex; "" without one. */
  sha256: z.string(),
  /** Whether it left the machine: null, it was not to. */
  sent: z.object({ done: z.boolean(), words: z.string() }).nullable(),
});

/** What a person begins an incident report with. */
const incident = z.object({
  /** What ended the run, in one sentence; "" for a rollback that went well and that a person began: why, only they know. */
  cause: z.string(),
  /** Phase that failed; "" where none did. */
  phase: z.string(),
  times: z.array(z.object({ at: time, words: z.string() })),
  /** Last words of the app, or of what failed. */
  evidence: z.array(z.string()),
  /** Last lines of the run's own log. */
  log: z.array(z.string()),
});

export const receiptSchema = z.object({
  /** 1 is what was written before there were `watch` and `canary`; it is read as a receipt without them. */
  schema: z.literal([1, 2]),
  run: z.string(),
  stack: z.string(),
  command: z.enum(["deploy", "rollback", "restore"]),
  /** Who began it, and where; "" where that is not known. */
  by: z.string(),
  /** Part of a drill: nobody had to go back. */
  rehearsal: z.boolean(),
  /** What was released, or was to be; both "" where the run ended before that was known. */
  ...revisionOf,
  /** What served before; null before the first release. */
  from: z.object(revisionOf).nullable(),
  /** Number in the list of releases; null where it was not recorded. */
  seq: z.int().positive().nullable(),
  startedAt: time,
  endedAt: time,
  seconds,
  outcome: z.object({
    /** Of the command; null: its process was killed. */
    exitCode: z.int().nullable(),
    /** The exit code in words. */
    words: z.string(),
    summary: z.string(),
    /** "" when there is nothing to do. */
    next: z.string(),
    lines: z.array(z.string()),
  }),
  /** When new users were sent to the release, also where it was taken back later; null: they never were. */
  switched: z.object({ at: time, after: seconds, warm: z.boolean() }).nullable(),
  /** What a person was told beforehand: settings that change, interruptions. */
  notices: z.array(z.string()),
  timeline: z.array(span),
  /** Every moment of the run belongs to one of them: the sum is the whole. */
  costs: z.array(z.object({ phase: z.string(), label: z.string(), seconds })),
  gates: z.array(gate),
  traffic: trafficSchema,
  sessions,
  /** Pauses of users' writes: websockets that were closed for it, and requests refused, as many as the proxy's log has (null: it could not be read). */
  pauses: z.array(z.object({ seconds, closed: count, refused: count.nullable() })),
  /** Null: the run did not come to it. */
  backup: backup.nullable(),
  /** Data that was made from a backup; null: it ran on data that was there. */
  restored: z.object({ generation: z.string(), from: z.string(), files: count, bytes: count, collections: z.record(z.string(), count) }).nullable(),
  /** How users fared on a canary of it beforehand; null: there was none. */
  canary: canarySchema.nullable().default(null),
  /** What a watch has seen of it since; null: it was not watched, or is not yet. */
  watch: watchedSchema.nullable().default(null),
  /** Null: there is nothing to report. */
  incident: incident.nullable(),
  /** The run's log, below dataDir; "" for one that was killed and left none that is known. */
  log: z.string(),
});

export type Receipt = z.infer<typeof receiptSchema>;
export type Span = z.infer<typeof span>;
export type GateResult = z.infer<typeof gate>;
export type Sessions = z.infer<typeof sessions>;
export type BackupResult = z.infer<typeof backup>;
export type Incident = z.infer<typeof incident>;

/** Commands that get a receipt. */
export type ReceiptCommand = Receipt["command"];
