/** Names of everything that a stack has on its Docker host. Pure, and the only place that makes them. */

/** Longest tag slug within a name: container names are DNS labels of at most 63 characters. */
export const SLUG_MAX = 24;
const DNS_LABEL_MAX = 63;

/** A stack's name becomes part of Docker names, DNS names and image names. */
export const STACK_NAME = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;

export interface StackNames {
  /** `pbjrag-<stack>` */
  readonly prefix: string;
  readonly network: string;
  readonly proxyContainer: string;
  readonly proxyVolume: string;
  /** Volume with Qdrant's storage. The first generation has the plain name, later ones `<that name>-<generation>`. */
  qdrantVolume(generation: string): string;
  /** Volume with the users' uploads; named likewise. */
  uploadsVolume(generation: string): string;
  /** Qdrant's container, also its DNS name on the stack's network. */
  qdrantContainer(generation: string): string;
  /** @param index from 1 */
  appContainer(revision: string, index: number): string;
  /** Every app container's name starts so. */
  readonly appPrefix: string;
  imageName(tag: string, commit: string): string;
}

/** The first generation of a stack's data. */
export const FIRST_GENERATION = "0";

/** A later one's name: part of names of containers and volumes. */
export const GENERATION_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** @param volumes names of data volumes that are there already: the first generation's */
export function stackNames(stack: string, volumes: { qdrant?: string | undefined; uploads?: string | undefined } = {}): StackNames {
  const prefix = `pbjrag-${stack}`;
  const ofGeneration = (name: string) => (generation: string): string => (generation === FIRST_GENERATION ? name : `${name}-${generation}`);
  return {
    prefix,
    network: prefix,
    proxyContainer: `${prefix}-proxy`,
    proxyVolume: `${prefix}_proxy`,
    qdrantVolume: ofGeneration(volumes.qdrant ?? `${prefix}_qdrant_storage`),
    uploadsVolume: ofGeneration(volumes.uploads ?? `${prefix}_uploaded_codebases`),
    qdrantContainer: (generation) => `${prefix}-qdrant-${generation}`,
    appContainer: (revision, index) => `${prefix}-app-${revision}-${index}`,
    appPrefix: `${prefix}-app-`,
    // A repository's name must be in lower case; a tag need not.
    imageName: (tag, commit) => `${prefix.toLowerCase()}:${tagSlug(tag)}-${commit.slice(0, 12)}`,
  };
}

/** A tag as part of a name: `release/v3.0.0` -> `release-v3.0.0`. Not unique: always used with a digest or a commit. */
export function tagSlug(tag: string): string {
  const safe = tag
    .replace(/[^A-Za-z0-9.-]+/g, "-")
    .slice(0, SLUG_MAX)
    .replace(/^[.-]+|[.-]+$/g, "");
  return safe === "" ? "x" : safe;
}

/** What is wrong with a stack's name, or null. Checked with the longest name that a release of it could need. */
export function stackNameProblem(stack: string): string | null {
  if (!STACK_NAME.test(stack)) {
    return "it must be made of letters and digits, with single dots, dashes or underscores between them";
  }
  const longest = stackNames(stack).appContainer(`${"x".repeat(SLUG_MAX)}-${"0".repeat(8)}`, 99);
  const label = Math.max(...longest.split(".").map((part) => part.length));
  return label <= DNS_LABEL_MAX ? null : `it is ${label - DNS_LABEL_MAX} characters too long for the names of its containers`;
}
