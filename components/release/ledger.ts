/** The list of releases: the stack output `releases`, oldest first, appended only by an update that succeeded. Pure. */
import { z } from "zod";
import { isCommit } from "../source/names.js";
import { isObject } from "../settings/defaults.js";
import { parseRecorded } from "../settings/recorded.js";
import { rollbackTarget } from "./history.js";
import type { Plan, Problem, ReleaseFacts, ReleaseRecord, Storage } from "./model.js";

/** Records that are kept. `seq` goes on counting. */
export const LEDGER_MAX = 50;

const generation = z.string().regex(/^[A-Za-z0-9._-]+$/, "is no generation");
const commit = z.string().refine(isCommit, "is no commit");
/** All but the settings, which have a reader of their own. */
const recordSchema = z.strictObject({
  schema: z.literal(1),
  seq: z.int().positive(),
  kind: z.enum(["deploy", "rollback"]),
  revision: z.string().regex(/^[A-Za-z0-9.-]+-[0-9a-f]{8}$/, "is no revision"),
  tag: z.string().min(1),
  commit,
  tagObject: commit,
  imageId: z.string().min(1),
  imageName: z.string().min(1),
  imageOrigin: z.enum(["built", "recorded"]),
  generation,
  // Records from before there were generations have neither.
  storage: z.strictObject({ qdrant: generation, uploads: generation }).optional(),
  restoredFrom: z.string().default(""),
  qdrantVersion: z.string(),
  qdrantKey: z.string(),
  backup: z.string(),
  noBackupReason: z.string(),
  attempt: z.string(),
  switchedAt: z.string(),
  formerFinished: z.boolean(),
  outcome: z.enum(["released", "abandoned"]),
});

export type ParsedLedger = { ledger: ReleaseRecord[] } | { problems: Problem[] };

/**
 * Reads the stack output. What is not understood is never taken for an empty ledger: that would release over a running one.
 * @param value as Pulumi gives it; undefined or null before the first release
 */
export function parseLedger(value: unknown): ParsedLedger {
  if (value === undefined || value === null) {
    return { ledger: [] };
  }
  if (!Array.isArray(value)) {
    return damaged("is no list");
  }
  const ledger: ReleaseRecord[] = [];
  for (const [index, item] of value.entries()) {
    const read = parseRecord(item);
    if ("why" in read) {
      return damaged(`entry ${index + 1}: ${read.why}`);
    }
    ledger.push(read.record);
  }
  const late = ledger.find((record, index) => index > 0 && record.seq <= (ledger[index - 1]?.seq ?? 0));
  return late === undefined ? { ledger } : damaged(`release ${late.seq} is out of order`);
}

function parseRecord(item: unknown): { record: ReleaseRecord } | { why: string } {
  if (!isObject(item)) {
    return { why: "is no record" };
  }
  if (item["schema"] !== 1) {
    return { why: `has the form ${JSON.stringify(item["schema"] ?? null)}, and this program knows form 1` };
  }
  const { settings: rawSettings, ...rest } = item;
  const result = recordSchema.safeParse(rest);
  if (!result.success) {
    const issue = result.error.issues[0];
    return { why: `${issue?.path.join(".") ?? ""} ${issue?.message ?? "is not readable"}`.trim() };
  }
  const settings = parseRecorded(rawSettings);
  if ("why" in settings) {
    return settings;
  }
  const { storage = storageOf(result.data.generation) } = result.data;
  return { record: { ...result.data, storage, settings: settings.settings } };
}

/** Both parts of the data in volumes of one generation. */
export function storageOf(generation: string): Storage {
  return { qdrant: generation, uploads: generation };
}

/**
 * The ledger as the stack output has it. What is as if nothing had ever been restored is left out, so that the output of a
 * stack that never restores is what it was before generations were known.
 */
export function asOutput(ledger: readonly (Pick<ReleaseRecord, "generation" | "storage"> & { restoredFrom: unknown })[]): object[] {
  return ledger.map(({ storage, restoredFrom, ...record }) => ({
    ...record,
    ...(storage.qdrant === record.generation && storage.uploads === record.generation ? {} : { storage }),
    ...(restoredFrom === "" ? {} : { restoredFrom }),
  }));
}

function damaged(why: string): ParsedLedger {
  return {
    problems: [
      {
        subject: "ledger",
        what: `the list of releases in the stack's output \`releases\` cannot be read: ${why}`,
        next: "use the version of this program that wrote it, or put back an earlier state: pulumi stack import",
      },
    ],
  };
}

export function present(ledger: readonly ReleaseRecord[]): ReleaseRecord | null {
  return ledger.at(-1) ?? null;
}

/** Where a rollback without a tag goes, or null. */
export function defaultRollbackTarget(ledger: readonly ReleaseRecord[]): ReleaseRecord | null {
  const now = present(ledger);
  return now === null ? null : rollbackTarget(ledger.slice(0, -1), now);
}

/**
 * Releases that a person may mean by a name, oldest first: a tag, a revision, or (at least 7 digits of) a commit.
 * @param commit what the tag leads to in the source, where that is known: a tag on a released commit means that release
 */
export function findReleases(ledger: readonly ReleaseRecord[], name: string, commit?: string): ReleaseRecord[] {
  const named = ledger.filter((record) => record.tag === name || record.revision === name);
  if (named.length > 0) {
    return named;
  }
  const id = commit ?? (/^[0-9a-f]{7,64}$/.test(name) ? name : null);
  return id === null ? [] : ledger.filter((record) => record.commit.startsWith(id));
}

/** One for each revision that could be released again: its newest record. Newest first, the present one left out. */
export function releasable(ledger: readonly ReleaseRecord[]): ReleaseRecord[] {
  const seen = new Set([present(ledger)?.revision]);
  const found: ReleaseRecord[] = [];
  for (const record of [...ledger].reverse()) {
    if (!seen.has(record.revision)) {
      found.push(record);
    }
    seen.add(record.revision);
  }
  return found;
}

/** The record that a successful update of this plan adds, with facts as they are given: in the program they come later. */
export function recordOf<F extends { [K in keyof ReleaseFacts]: unknown }>(plan: Plan, facts: F): Omit<ReleaseRecord, keyof ReleaseFacts> & F {
  const { serving } = plan;
  return {
    schema: 1,
    seq: plan.seq,
    kind: plan.kind,
    revision: serving.revision,
    tag: serving.tag,
    commit: serving.commit,
    tagObject: serving.tagObject,
    imageName: serving.image.name,
    imageOrigin: serving.image.origin,
    settings: serving.settings,
    generation: serving.generation,
    storage: serving.storage,
    qdrantKey: plan.qdrantKey,
    attempt: plan.attempt,
    formerFinished: plan.formerFinished,
    outcome: "released",
    ...facts,
  };
}

/**
 * The ledger after a successful update of this plan.
 * @param record of a new release; null where the present one stays, whose settings and `formerFinished` may change
 * @param ledger as it was read
 */
export function ledgerAfter<R>(plan: Plan, record: R | null, ledger: readonly ReleaseRecord[]): (ReleaseRecord | R)[] {
  if (record !== null) {
    return [...plan.past, record];
  }
  const last = present(ledger);
  return last === null ? [] : [...plan.past, { ...last, settings: plan.serving.settings, formerFinished: plan.formerFinished }];
}
