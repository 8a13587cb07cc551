/**
 * Points of no return: Qdrant's data goes to the same or the next minor version only, so what a newer one has written never goes back.
 * Going back across one takes the data with it. Pure.
 */
import semver from "semver";
import { versionOfImage, versionProblem } from "../qdrant/version.js";
import type { Plan, Problem, ReleaseRecord } from "./model.js";
import { copiesData } from "./qdrant-change.js";

/** The version that a release's Qdrant is: as its image says, else as it said itself; null where neither did. */
export function qdrantVersionOf({ settings, qdrantVersion }: Pick<ReleaseRecord, "settings" | "qdrantVersion">): string | null {
  return versionOfImage(settings.qdrant.image) ?? (qdrantVersion === "" ? null : qdrantVersion);
}

/** Major and minor: within them data goes to and fro. */
function minorOf(version: string): string {
  const { major, minor } = semver.coerce(version) ?? { major: 0, minor: 0 };
  return `${major}.${minor}`;
}

/** What keeps the Qdrant of this plan from the data that it is to run on; of a backup by name, data-rules.ts judges. */
export function versionProblems(plan: Plan, ledger: readonly ReleaseRecord[]): Problem[] {
  const runs = versionOfImage(plan.serving.settings.qdrant.image);
  const { restore, step, serving } = plan;
  if (runs === null || step === "unchanged") {
    return [];
  }
  const record = restore === null ? ledger.findLast(({ storage }) => storage.qdrant === serving.storage.qdrant) : copiesData(plan) ? ledger.at(-1) : undefined;
  const wrote = record === undefined ? null : qdrantVersionOf(record);
  if (record === undefined || wrote === null) {
    return [];
  }
  const report = (what: string, next: string): Problem[] => [{ subject: "pbjrag:qdrant.image", what, next }];
  if (restore === null) {
    // It would be changed where it lies, and nothing could go back to it.
    return minorOf(wrote) === minorOf(runs) ? [] : report(`the data of generation ${serving.generation} was left by Qdrant ${wrote}, and this is Qdrant ${runs}`, `go to it with its own: scripts/rollback.sh --generation ${serving.generation}`);
  }
  const problem = versionProblem(wrote, runs);
  if (problem === null) {
    return [];
  }
  return semver.lt(wrote, runs) ? report(problem, stepwise(wrote, runs)) : report(`an image-only rollback will not do: ${problem}`, backWithData(plan, runs, ledger));
}

function stepwise(wrote: string, runs: string): string {
  const next = semver.inc(`${minorOf(wrote)}.0`, "minor") ?? runs;
  return `go one minor version at a time: set pbjrag:qdrant.image to a ${minorOf(next)} version, deploy, and so on up to ${runs}`;
}

/** The way back to data that this version can read. */
function backWithData({ serving }: Plan, runs: string, ledger: readonly ReleaseRecord[]): string {
  const readable = (record: ReleaseRecord): boolean => minorOf(qdrantVersionOf(record) ?? "") === minorOf(runs);
  const newest = ledger.findLast(({ tag }) => tag === serving.tag);
  if (newest !== undefined && readable(newest)) {
    return `take the data back with it: scripts/rollback.sh ${serving.tag} --with-data`;
  }
  const left = ledger.findLast(readable);
  return left === undefined
    ? `keep Qdrant's version, or restore a backup that a Qdrant ${minorOf(runs)} wrote: scripts/rollback.sh --with-data=BACKUP`
    : `go to the data that Qdrant ${minorOf(runs)} left, as ${left.tag} had it: scripts/rollback.sh --generation ${left.generation}`;
}

/** What a person should know before a version from which there is no way back but with the data. */
export function versionNotices(plan: Plan, last: ReleaseRecord | null): string[] {
  const wrote = last === null ? null : qdrantVersionOf(last);
  const runs = versionOfImage(plan.serving.settings.qdrant.image);
  if (last === null || wrote === null || runs === null || !copiesData(plan) || minorOf(wrote) === minorOf(runs)) {
    return [];
  }
  const back = plan.serving.tag === last.tag ? `--generation ${last.generation}` : `${last.tag} --with-data`;
  return [
    `POINT OF NO RETURN: Qdrant ${wrote} -> ${runs}. An image-only rollback will not do then: a snapshot restores onto the same or the next minor version only. `
    + `Going back takes the data with it, as ${last.tag} leaves it now: scripts/rollback.sh ${back}`,
  ];
}
