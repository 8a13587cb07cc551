/**
 * The vocabulary that the rooms share: what a release is, what the plan says, what the ledger keeps.
 * Types only, so that every room can import it without importing another room.
 */
import type { Thresholds } from "../judge/model.js";
import type { RecordedSettings, Settings } from "../settings/schema.js";

/** Settings as they are recorded with a release: everything but secrets and one-run keys. */
export type { RecordedSettings };

/** `deploy`: forward or sideways; `rollback`: to what this stack ran before. */
export type ReleaseKind = "deploy" | "rollback";

/** The two parts of a stack's data, each a volume. */
export type DataPart = "qdrant" | "uploads";

/** The generation whose volume each part of a release's data lies in: the same one, unless only one part was made anew. */
export type Storage = Record<DataPart, string>;

/** One line of the ledger: the stack output `releases`, oldest first. Appended only by a successful update. */
export interface ReleaseRecord {
  /** Version of this record's form. */
  schema: 1;
  /** 1-based; the order of releases. Never ordered by time: clocks jump. */
  seq: number;
  kind: ReleaseKind;
  /** `<tag slug>-<8 hex of the spec's digest>`. */
  revision: string;
  tag: string;
  /** 40 hex. */
  commit: string;
  /** Object the tag named when it was released: the annotated tag object, or the commit. */
  tagObject: string;
  /** `sha256:…` */
  imageId: string;
  imageName: string;
  /** `built` by this release, or `recorded`: an earlier release's image run by its ID. */
  imageOrigin: "built" | "recorded";
  settings: RecordedSettings;
  /** Data generation that it runs on; "0" is the first. */
  generation: string;
  storage: Storage;
  /** The backup that this release made its generation from; "" where it took the one that was there. */
  restoredFrom: string;
  qdrantVersion: string;
  /** Short digest of Qdrant's API key, "" for none: a new key restarts Qdrant, which is never silent. */
  qdrantKey: string;
  /** Directory name below `backups/<stack>/`, or "" where there was nothing to back up or it was skipped. */
  backup: string;
  /** Why there is no backup, "" otherwise. */
  noBackupReason: string;
  attempt: string;
  /** ISO 8601, when the route moved. For people; never used for order. */
  switchedAt: string;
  /** True once the release before this one is no longer declared: by `finish`, or never kept warm. */
  formerFinished: boolean;
  /** Abandoned: a rollback left it. */
  outcome: "released" | "abandoned";
}

/** Where the tag points, as found by source/. */
export interface ResolvedSource {
  tag: string;
  commit: string;
  tagObject: string;
  /** Build context, relative to the project's directory, POSIX separators. */
  context: string;
}

/** One app container to declare. */
export interface ReplicaPlan {
  /** Docker name, also its DNS name on the stack's network. */
  name: string;
  index: number;
}

/** A revision of the app: everything that makes its containers. */
export interface RevisionPlan {
  revision: string;
  tag: string;
  commit: string;
  tagObject: string;
  image:
    | { origin: "built"; resource: string; name: string; context: string; dockerfile: string }
    | { origin: "recorded"; name: string; id: string };
  replicas: ReplicaPlan[];
  /**
   * The settings it runs under: recorded ones for the former, today's for the serving one, but for `gate` and `backup`
   * of a release that is there already: those are done, and changing their settings must not repeat them.
   */
  settings: RecordedSettings;
  generation: string;
  storage: Storage;
  /** Non-secret environment, complete (QDRANT_HOST and the like included), sorted by key. */
  env: Record<string, string>;
}

export interface BackupPlan {
  /** Pulumi resource name: `backup-before-<tag>`. */
  resource: string;
  kind: "pre-deploy" | "pre-rollback";
  triggers: string[];
  /** The release whose data it holds; null before the first. */
  of: { tag: string; commit: string; revision: string } | null;
  /** The release it is made before. */
  before: { tag: string; commit: string; revision: string };
  /** `--no-backup --reason R`: the reason; "" otherwise. */
  skipReason: string;
  /** Settings of the release whose data it holds; null before the first. */
  settings: RecordedSettings | null;
  /** Where that data lies. */
  storage: Storage;
  /** Qdrant's image that wrote the data: the scratch Qdrant's too. */
  qdrantImage: string;
  /** Limits of the scratch Qdrant; memory in bytes. */
  scratch: { cpus: number; memory: number };
  deadlineMs: number;
  /** Null: users write while it is taken. */
  pause: PausePlan | null;
}

/** A pause of users' writes at the front door, from before a backup reads anything. */
export interface PausePlan {
  /** It ends when the backup has read the uploads, or when the route has moved. */
  until: "uploads" | "route";
  /** Milliseconds until it ends by itself, from each moment at which it is renewed. */
  leaseMs: number;
}

/** How the generation that a release is the first to run on gets its data. */
export interface RestorePlan {
  /** Pulumi resource name: `restore-<generation>`. */
  resource: string;
  generation: string;
  /** The parts that are made anew. */
  parts: DataPart[];
  /** Directory name below `backups/<stack>/`; null: the backup that this very update takes. */
  from: string | null;
  deadlineMs: number;
}

/** A release that is tried beside the one that serves. */
export interface CanaryPlan {
  revision: RevisionPlan;
  /** Taken before it is started; the same that its release takes, so that promoting it repeats nothing. */
  backup: BackupPlan;
  attempt: string;
  /** Percent of new users, step by step. */
  steps: number[];
  /** Milliseconds of each step. */
  durationMs: number;
  /** Sessions on either release that fill in for users. */
  synthetic: number;
  onInsufficient: Settings["canary"]["onInsufficient"];
  thresholds: Thresholds;
  /** It is older than what serves. */
  older: boolean;
}

/** What one update is to do: a pure function of settings, ledger and facts. */
export interface Plan {
  stack: string;
  /** What this update means for a person: the first release, a deploy, a rollback, or no new release (a `finish` too). */
  step: "first" | "deploy" | "rollback" | "unchanged";
  kind: ReleaseKind;
  serving: RevisionPlan;
  /** Null: none. What serves then stays as it was recorded. */
  canary: CanaryPlan | null;
  /** Stays declared as it was recorded; null when there is none or it is finished or not kept warm. */
  former: RevisionPlan | null;
  /**
   * A rollback leaves the former, or the data that it runs on: its sessions are closed after `drain.onRollback`, as what
   * they write would be written to data that nobody reads any more.
   */
  formerAbandoned: boolean;
  /** The former release is not declared (any more): nothing to go back to warm. */
  formerFinished: boolean;
  backup: BackupPlan;
  /** Null: it runs on data that is there. */
  restore: RestorePlan | null;
  attempt: string;
  /** As in {@link ReleaseRecord}. */
  qdrantKey: string;
  /** The ledger before this release's own record. */
  past: ReleaseRecord[];
  seq: number;
  /** The revision a plain rollback would go to after this update; null: none. */
  rollbackTo: string | null;
  /** The config asks for a release older than the present one: `deploy` refuses that. */
  older: boolean;
  /**
   * `reapply`, and a canary: the present release is declared as its record says (its settings, its image, its names, whatever config
   * says now), which undoes a failed update. Step is "unchanged" then; environment stays as in the state.
   */
  asRecorded: boolean;
  /** In words, for the preview: "ROLLBACK v3.0.0 -> v2.9.0", interruptions, what is removed. */
  notices: string[];
}

/** Facts that only the finished update knows; with the plan they make the ledger's record. */
export interface ReleaseFacts {
  imageId: string;
  qdrantVersion: string;
  backup: string;
  noBackupReason: string;
  restoredFrom: string;
  switchedAt: string;
}

/** Something that keeps a release from being started: reported all at once, before anything is touched. */
export interface Problem {
  /** Config path or subject: `pbjrag:app.memory`, `tag`, `capacity`, `volume`. */
  subject: string;
  what: string;
  next: string;
}
