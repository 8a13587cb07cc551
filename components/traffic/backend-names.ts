/** Names of the proxy's backends, by which its log and its statistics tell releases apart. Pure. */

const OF_RELEASE = /^(?:failopen_)?(app|ws)_(.+)$/;

/** Backend of a revision's requests, and of its websockets: replicas whose health checks pass. */
export const appBackend = (revision: string): string => `app_${revision}`;
export const socketBackend = (revision: string): string => `ws_${revision}`;

/** The same for the time in which no replica passes its health check: all replicas that accept connections. */
export const failOpen = (backend: string): string => `failopen_${backend}`;

/** Backend of requests for parts of the page that first ask this revision: see config/parts.ts. */
export const partsBackend = (revision: string): string => `parts_${revision}`;

/** The revision that a backend of {@link partsBackend} asks first, or null. */
export const revisionOfParts = (backend: string): string | null => /^parts_(.+)$/.exec(backend)?.[1] ?? null;

/** The revision whose requests or websockets a backend carries, or null. */
export const revisionOf = (backend: string): string | null => OF_RELEASE.exec(backend)?.[2] ?? null;

/** The revision whose websockets a backend carries, or null. */
export const revisionOfSockets = (backend: string): string | null => {
  const [, kind, revision] = OF_RELEASE.exec(backend) ?? [];
  return kind === "ws" ? (revision ?? null) : null;
};

/** Whether a backend is a release's, of requests or of websockets. */
export const isOfRelease = (backend: string): boolean => revisionOf(backend) !== null;
