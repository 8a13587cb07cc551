import type { BackupSummary } from "../../components/backup/list.js";
import type { ContainerUse } from "../../components/metrics/resources.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import type { WatchState } from "../../components/watch/state.js";
import type { Trial } from "./trial.js";

/** Milliseconds of traffic that are told. */
export const trafficMs = 60_000;

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
  containers: { name: string; role: string; state: string; status: string }[];
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
