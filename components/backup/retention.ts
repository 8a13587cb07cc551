/**
 * What of a stack's past is kept, and why. Pure, and careful: an item goes only if no rule at all wants it kept, and what is
 * not understood stays.
 */
import type { BackupSummary } from "./list.js";

export interface RetentionRules {
  /** What is younger than so many days stays. */
  keepDays: number;
  /** And so many of the newest backups, whatever their age. */
  keepLast: number;
}

/** One line of the ledger, as far as it needs something kept. Every one of them can be gone back to. */
export interface LedgerNeeds {
  seq: number;
  tag: string;
  revision: string;
  imageId: string;
  /** Taken before it; "" for none. */
  backup: string;
  /** What its data was restored from; "" for none. */
  restoredFrom: string;
  /** Names of the volumes that it runs on. */
  volumes: readonly string[];
}

export interface ImageFact {
  /** `pbjrag-<stack>:<tag>` */
  name: string;
  id: string;
  /** Milliseconds since 1970. */
  created: number;
  bytes: number;
  /** A container, running or not, is made of it. */
  used: boolean;
}

export interface VolumeFact {
  name: string;
  created: number;
  /** A container mounts it, or Pulumi's state declares it. */
  used: boolean;
}

export interface RetentionInput {
  /** Milliseconds since 1970. */
  now: number;
  rules: RetentionRules;
  /** Oldest first. */
  backups: readonly BackupSummary[];
  /** Oldest first. */
  ledger: readonly LedgerNeeds[];
  images: readonly ImageFact[];
  /** Data volumes with this stack's label. */
  volumes: readonly VolumeFact[];
}

export interface Retained {
  kind: "backup" | "image" | "volume";
  name: string;
  /** Null where it is not known. */
  bytes: number | null;
  /** Why it stays, each a clause, the most telling first. Empty: it goes. */
  why: string[];
}

const DAY_MS = 86_400_000;

/** Every backup, image and data volume of the stack, in the order given. */
export function retention(input: RetentionInput): Retained[] {
  return [...backups(input), ...images(input), ...volumes(input)];
}

export function goes(item: Retained): boolean {
  return item.why.length === 0;
}

/** Where nothing is released, or its list is lost, nothing tells what is left over from what is all that is left. */
function unknown(ledger: readonly LedgerNeeds[]): string[] {
  return ledger.length === 0 ? ["nothing is released, so it is not known what is needed"] : [];
}

function backups({ now, rules, backups: all, ledger }: RetentionInput): Retained[] {
  const good = all.filter(({ problem }) => problem === "");
  const lastProven = good.findLast(({ proven }) => proven)?.name;
  const last = new Set(good.slice(-rules.keepLast).map(({ name }) => name));
  const needs = neededBackups(good, ledger);
  return all.map((backup) => {
    const { name, bytes, problem, pinned, created } = backup;
    if (problem !== "") return { kind: "backup", name, bytes: null, why: [`${problem}: what it holds is not known, so it is not removed`] };
    const why = [
      ...(pinned ? ["it is pinned"] : []),
      ...(needs.get(name) ?? []),
      ...(name === lastProven ? ["it is the last proven one"] : []),
      ...(last.has(name) ? [`it is one of the last ${rules.keepLast}`] : []),
      ...young(Date.parse(created), now, rules),
      ...unknown(ledger),
    ];
    return { kind: "backup", name, bytes, why };
  });
}

/** Of each release, what undoes it with its data, what it was restored from, and the newest of its own data. */
function neededBackups(good: readonly BackupSummary[], ledger: readonly LedgerNeeds[]): Map<string, string[]> {
  const needs = new Map<string, string[]>();
  const need = (name: string | undefined, why: string): void => {
    if (name !== undefined && name !== "") needs.set(name, [...(needs.get(name) ?? []), why]);
  };
  for (const release of [...ledger].reverse()) {
    const words = `${release.tag} (#${release.seq})`;
    need(release.backup, `it was taken before ${words}`);
    need(release.restoredFrom, `the data of ${words} was restored from it`);
  }
  // Of several records of one revision the newest stands for all.
  for (const [revision, { tag, seq }] of new Map(ledger.map((release) => [release.revision, release]))) {
    need(good.findLast((backup) => backup.revision === revision)?.name, `it is the newest with the data of ${tag} (#${seq})`);
  }
  // A rollback that finds none of a revision's own takes the tag's.
  for (const tag of new Set(ledger.map((release) => release.tag))) {
    const newest = good.findLast((backup) => backup.of === tag);
    if (newest !== undefined && !needs.has(newest.name)) need(newest.name, `it is the newest with the data of ${tag}`);
  }
  return needs;
}

function images({ now, rules, images: all, ledger }: RetentionInput): Retained[] {
  return all.map(({ name, id, created, bytes, used }) => {
    const release = ledger.findLast((record) => record.imageId === id);
    const why = [
      ...(release === undefined ? [] : [`${release.tag} (#${release.seq}) runs it`]),
      ...(used ? ["a container is made of it"] : []),
      ...young(created, now, rules),
      ...unknown(ledger),
    ];
    return { kind: "image", name, bytes, why };
  });
}

function volumes({ now, rules, volumes: all, ledger }: RetentionInput): Retained[] {
  return all.map(({ name, created, used }) => {
    const release = ledger.findLast((record) => record.volumes.includes(name));
    const why = [
      ...(release === undefined ? [] : [`the data of ${release.tag} (#${release.seq}) lies in it`]),
      ...(used ? ["a container mounts it, or Pulumi declares it"] : []),
      ...young(created, now, rules),
      ...unknown(ledger),
    ];
    return { kind: "volume", name, bytes: null, why };
  });
}

/** A time that cannot be read, or that has not come yet, is no reason to remove anything. */
function young(created: number, now: number, { keepDays }: RetentionRules): string[] {
  return now - created >= keepDays * DAY_MS ? [] : [`it is younger than ${keepDays} days`];
}
