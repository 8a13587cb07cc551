import { asOutput, ledgerAfter, parseLedger, recordOf } from "../../components/release/ledger.js";
import type { Plan, ReleaseFacts, ReleaseRecord, ResolvedSource } from "../../components/release/model.js";
import { planRelease } from "../../components/release/plan.js";
import type { SecretDigests } from "../../components/release/revision.js";
import type { Settings } from "../../components/settings/schema.js";
import { contextOf } from "../../components/source/export.js";
import { settingsOf } from "../settings/sample.js";

/** 40 hex that stand for a tag's commit. */
export function commitOf(tag: string): string {
  return Buffer.from(tag).toString("hex").padEnd(40, "0").slice(0, 40);
}

export function sourceOf(tag: string): ResolvedSource {
  const commit = commitOf(tag);
  return { tag, commit, tagObject: commit, context: contextOf(commit) };
}

export interface Ask {
  memory?: string;
  keepWarm?: boolean;
  attempt?: string;
  finish?: string;
  reapply?: boolean;
  secret?: string;
  /** Digest of Qdrant's API key. */
  key?: string;
  /** Keys of `qdrant`. */
  qdrant?: { image?: string; cpus?: number; memory?: string };
  /** The data generation that the front door leads to. Default: that of the last record. */
  live?: string | null;
  data?: { generation?: string; restoreFrom?: string; only?: "qdrant" | "uploads" };
  /** A tag that is tried beside what serves. */
  canary?: string;
  more?: Record<string, string>;
}

/** A stack whose releases are planned and recorded as the real one's are, without Pulumi and Docker. */
export class World {
  ledger: ReleaseRecord[] = [];
  /** IDs of images that "Docker" has. */
  readonly images = new Set<string>();
  /** Data generations that "Docker" has volumes of. */
  readonly taken = new Set<string>();
  private clock = 0;

  settings(tag: string, ask: Ask = {}): Settings {
    return settingsOf({
      "pbjrag:version": tag,
      ...(ask.memory === undefined ? {} : { "pbjrag:app": JSON.stringify({ memory: ask.memory }) }),
      ...(ask.qdrant === undefined ? {} : { "pbjrag:qdrant": JSON.stringify(ask.qdrant) }),
      "pbjrag:keepWarm": String(ask.keepWarm ?? true),
      "pbjrag:attempt": ask.attempt ?? "",
      "pbjrag:finish": ask.finish ?? "",
      ...(ask.data === undefined ? {} : { "pbjrag:data": JSON.stringify(ask.data) }),
      "pbjrag:reapply": String(ask.reapply ?? false),
      ...(ask.canary === undefined ? {} : { "pbjrag:canary": JSON.stringify({ version: ask.canary }) }),
      ...ask.more,
    });
  }

  plan(tag: string, ask: Ask = {}): Plan {
    const key = ask.key ?? "";
    // As secretDigests has it: the app is given the key as well.
    const secrets: SecretDigests = { app: `${ask.secret ?? ""}${key}`, qdrantKey: key };
    const live = ask.live === undefined ? (this.ledger.at(-1)?.generation ?? null) : ask.live;
    return planRelease({ stack: "dev", settings: this.settings(tag, ask), secrets, source: sourceOf(tag), candidate: ask.canary === undefined ? null : sourceOf(ask.canary), ledger: this.ledger, images: this.images, live, taken: this.taken });
  }

  /** Plans and records, as an update that succeeds does; through JSON, as the state does. */
  up(tag: string, ask: Ask = {}): Plan {
    const plan = this.plan(tag, ask);
    if (plan.restore !== null) this.taken.add(plan.restore.generation);
    const record = plan.step === "unchanged" ? null : recordOf(plan, this.facts(plan));
    const after: unknown = JSON.parse(JSON.stringify(asOutput(ledgerAfter(plan, record, this.ledger))));
    const parsed = parseLedger(after);
    if ("problems" in parsed) {
      throw new Error(JSON.stringify(parsed.problems));
    }
    this.ledger = parsed.ledger;
    return plan;
  }

  private facts(plan: Plan): ReleaseFacts {
    this.clock += 1;
    const { image } = plan.serving;
    const imageId = image.origin === "recorded" ? image.id : `sha256:${image.name}-${this.clock}`;
    this.images.add(imageId);
    const backup = `pre-deploy-${this.clock}`;
    const restoredFrom = plan.restore === null ? "" : plan.restore.from ?? backup;
    return { imageId, qdrantVersion: "1.19.0", backup, noBackupReason: "", restoredFrom, switchedAt: new Date(this.clock * 1000).toISOString() };
  }
}
