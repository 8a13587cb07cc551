/** Which tags there are, and which is the newest. */
import semver from "semver";
import { readTags, type RemoteTag } from "./mirror.js";
import { tagProblem } from "./names.js";

/**
 * Tags of a source that can be released, in git's order.
 * @param source path (relative to `projectDir`) or URL
 * @throws ReleaseError when the source cannot be read
 */
export async function listTags(source: string, projectDir?: string): Promise<RemoteTag[]> {
  const tags = await readTags({ source, ...(projectDir === undefined ? {} : { projectDir }) });
  return tags.filter(({ tag }) => tagProblem(tag) === null);
}

/** The newest by semantic version (`v3.0.0`, `3.0.0`), without pre-releases; null where no tag is a version. */
export function newestTag(tags: readonly { tag: string }[]): string | null {
  const versions = tags.flatMap(({ tag }) => {
    const version = versionOf(tag);
    return version === null || version.prerelease.length > 0 ? [] : [{ tag, version }];
  });
  // Of `v3.0.0` and `3.0.0` the same one is chosen each time.
  versions.sort((a, b) => semver.compareBuild(a.version, b.version) || (a.tag < b.tag ? -1 : 1));
  return versions.at(-1)?.tag ?? null;
}

/** A tag as a version, or null. A `v` in front is usual; anything else around it makes it no version. */
export function versionOf(tag: string): semver.SemVer | null {
  return /^v?\d+\.\d+\.\d+/.test(tag) ? semver.parse(tag.replace(/^v/, "")) : null;
}
