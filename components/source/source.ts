/** tag -> commit -> build context. The user's work tree, index and refs are never touched: the source is only read from. */
import path from "node:path";
import type { ResolvedSource } from "../release/model.js";
import { errors } from "../runtime/errors.js";
import { contextOf, exportCommit, touchExport } from "./export.js";
import { addressOf, Mirror, type Place, projectDirOf, readTags, type RemoteTag } from "./mirror.js";
import { isCommit, parseSource, tagProblem } from "./names.js";
import { nearest } from "./nearest.js";
import { newestTag } from "./tags.js";

export interface Wanted extends Place {
  /** A tag; a full commit ID where `allowUntagged`. */
  version: string;
  allowUntagged: boolean;
}

/**
 * Finds what a tag names, and brings the commit into the cache. Nothing is exported yet.
 * @throws ReleaseError: no such tag, a name that is refused, a source that cannot be read (code `sourceUnreachable`)
 */
export async function resolveSource(wanted: Wanted): Promise<ResolvedSource> {
  const { version } = wanted;
  const problem = tagProblem(version);
  if (problem !== null) {
    throw errors.sourceRefused({ subject: "This version", why: problem, next: "name a git tag of the app" });
  }
  const address = addressOf(wanted);
  const mirror = new Mirror(wanted, address);
  const tags = await readTags(wanted);
  const found = tags.find(({ tag }) => tag === version);
  if (found !== undefined) {
    await mirror.fetch(`refs/tags/${version}`, found.tagObject, found.commit);
    await assertCommit(mirror, found.commit, version);
    return { ...found, context: contextOf(found.commit) };
  }
  if (!isCommit(version)) {
    throw noSuchTag(version, address, tags);
  }
  if (!wanted.allowUntagged) {
    throw errors.sourceRefused({ subject: `Commit ${version.slice(0, 12)}`, why: "it is a commit, and releases are made from tags", next: "tag it, or allow it: pulumi config set pbjrag:allowUntagged true" });
  }
  await mirror.fetch(version, version, version);
  await assertCommit(mirror, version, version);
  return { tag: version, commit: version, tagObject: version, context: contextOf(version) };
}

/**
 * Whether the source has what is to be released, before anything is started: its tag (or a commit, where that is admitted).
 * @returns null where it has, else the error that says what is wrong; one that cannot be read is left to whoever needs it
 */
export async function wantedProblem(wanted: Wanted): Promise<Error | null> {
  const { version, allowUntagged } = wanted;
  if (tagProblem(version) !== null || (isCommit(version) && allowUntagged)) {
    return null;
  }
  const address = addressOf(wanted);
  const tags = await readTags(wanted);
  return tags.some(({ tag }) => tag === version) || isCommit(version) ? null : noSuchTag(version, address, tags);
}

/** A tag may name any object, and it may have moved since it was looked at. */
async function assertCommit(mirror: Mirror, commit: string, version: string): Promise<void> {
  if (!(await mirror.has(commit))) {
    throw errors.sourceRefused({ subject: version, why: "it does not lead to a commit", next: "tag a commit, then run again" });
  }
}

function noSuchTag(version: string, address: string, tags: readonly RemoteTag[]): Error {
  const newest = newestTag(tags);
  const versions = tags.map(({ tag }) => tag).filter((tag) => tagProblem(tag) === null);
  const meant = nearest(version, newest === null ? versions : [newest, ...versions]);
  if (meant !== null) {
    return errors.sourceRefused({ subject: version, why: `there is no such tag in ${address}`, next: `did you mean ${meant}? Push the tag, or name another${newest === null ? "" : ` (the newest there is ${newest})`}` });
  }
  const hint = newest === null ? `${address} has ${tags.length === 0 ? "no tags at all" : "no tag that is a version"}` : `the newest there is ${newest}`;
  return errors.sourceRefused({ subject: version, why: `there is no such tag in ${address}`, next: `push the tag, or name another (${hint})` });
}

/**
 * Whether a commit is in the cache, without asking the source: a release that was made here can be declared again
 * while its source is out of reach.
 */
export async function isCached(place: Place, commit: string): Promise<boolean> {
  return new Mirror(place, addressIfKnown(place)).has(commit);
}

/**
 * Makes sure that the build context of a cached commit is there.
 * @throws ReleaseError for submodules, Git LFS, links that lead out of the tree
 */
export async function exportSource(place: Place, commit: string, now = new Date()): Promise<void> {
  const projectDir = projectDirOf(place);
  await exportCommit(new Mirror(place, addressIfKnown(place)), commit, projectDir);
  await touchExport(projectDir, commit, now);
}

/** The address of a source that need not be there any more: it is only the cache's key. */
function addressIfKnown(place: Place): string {
  const parsed = parseSource(place.source);
  return !("problem" in parsed) && parsed.kind === "path" ? path.resolve(projectDirOf(place), parsed.path) : place.source;
}
