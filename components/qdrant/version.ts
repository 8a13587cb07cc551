/** Which Qdrant's data another Qdrant can be given. Pure. */
import semver from "semver";

/** The version that an image's name tells, as in `qdrant/qdrant:v1.19.0@sha256:…`; null where it tells none. */
export function versionOfImage(image: string): string | null {
  const tag = /:(v?\d+(?:\.\d+){1,2}(?:-[\w.-]+)?)(?:@|$)/.exec(image)?.[1];
  return tag === undefined ? null : (semver.coerce(tag)?.version ?? null);
}

/**
 * Why a Qdrant cannot be given data that another version wrote; null where it can, or where a version is not known. Data goes
 * to the same or the next minor version only: upward one at a time, downward never.
 */
export function versionProblem(from: string, to: string): string | null {
  const [a, b] = [semver.coerce(from), semver.coerce(to)];
  if (a === null || b === null || (a.major === b.major && (b.minor === a.minor || b.minor === a.minor + 1))) {
    return null;
  }
  return semver.lt(b, a)
    ? `Qdrant ${to} cannot read what Qdrant ${from} wrote: it goes to the same or the next minor version only`
    : `from Qdrant ${from} to ${to} a minor version is skipped: data goes to the same or the next one only`;
}
