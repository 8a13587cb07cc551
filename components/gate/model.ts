/** What the gate is told, what it looks at, and what it gives out. Data only. */

export interface GateInputs {
  stack: string;
  revision: string;
  tag: string;
  /** What the revision is to become: every switch is gated, promoting a canary too. */
  role: "serving" | "canary";
  /** Renewed after a run that did not end well, so that a retry gates again. */
  attempt: string;
  /** Docker names of the revision's containers. */
  containers: string[];
  /** TCP port that the app listens on in its containers. */
  port: number;
  healthPath: string;
  /** Path that runs the app's script; "" where the app has none. */
  scriptPath: string;
  /** Rounds in a row in which everything must be well. */
  passes: number;
  /** Milliseconds from the start of one round to that of the next. */
  intervalMs: number;
  /** Milliseconds. */
  deadlineMs: number;
  /** Milliseconds that one request may take. */
  requestTimeoutMs: number;
  /** Names of the app's variables that hold secrets: their values are kept out of all that is written down. */
  secretEnv: string[];
  qdrant: {
    /** "": the vector store is not looked at. */
    container: string;
    /** Exact count of points of each collection before the release. */
    before: Record<string, number>;
  };
  /** Users cannot write until it has passed and the route has moved; where it fails, they write on at once. */
  writesPaused?: boolean;
  dataDir: string;
}

export interface Latency {
  /** Milliseconds. */
  p50: number;
  p99: number;
}

export interface Measured {
  /** Rounds in a row that passed. */
  passes: number;
  rounds: number;
  /** HTTP requests sent to the app. */
  probes: number;
  latency: Record<string, Latency>;
  collections: Record<string, { status: string; count: number }>;
  /** "" when Qdrant was not looked at, or did not say. */
  qdrantVersion: string;
  /** What is no reason to refuse the release, and should be known. */
  notes?: string[];
  tookMs: number;
}

export interface GateOuts extends GateInputs {
  measured: Measured;
}

/** What an answer must be is the verdict's affair: this is only what came. */
export interface HttpSample {
  /** `health`, `script`, `page`. */
  probe: string;
  path: string;
  /** Null: no answer. */
  status: number | null;
  /** Its first characters. */
  body: string;
  /** Milliseconds. */
  ms: number;
  /** Why there is no answer; "" otherwise. */
  error: string;
}

export interface ContainerState {
  id: string;
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited`, `dead`. */
  status: string;
  exitCode: number;
  oomKilled: boolean;
  /** How often Docker restarted it by itself. */
  restartCount: number;
  startedAt: string;
  /** Milliseconds since it was started last, by the wall clock; 0 when it does not run. */
  upMs: number;
  /** Docker's words about a start that failed. */
  error: string;
}

/** What is seen within a container. */
export interface Inside {
  /** From where the sockets that listen at the app's port can be reached; empty: nothing listens there. */
  listens: ("loopback" | "outside")[];
  /** Versions of streamlit and tornado, where they are installed in a usual place. */
  packages: Record<string, string>;
  /** `UID:GID` of its main process; "" where that is not known. */
  user: string;
  /** The first path in a volume that this user cannot work with, with the volume's name and the image's ID; null: none was found. */
  uploads: { fault: "unwritable" | "unreadable"; path: string; volume: string; image: string } | null;
  /** How the image's own HEALTHCHECK ended, -1: not in its time; null: it has none, or was not run. */
  healthcheck: { exitCode: number; output: string } | null;
}

export interface ContainerSample {
  name: string;
  /** Null: Docker knows no such container. */
  state: ContainerState | null;
  http: HttpSample[];
  /** Absent or null: not looked into. */
  inside?: Inside | null;
}

export interface CollectionSample {
  name: string;
  /** `green`, `yellow`, `grey`, `red`; "" when it could not be asked. */
  status: string;
  /** Exact; null when it could not be counted. */
  count: number | null;
  error: string;
}

export interface QdrantSample {
  container: string;
  state: ContainerState | null;
  /** Why its collections could not be listed; "" otherwise. */
  error: string;
  /** "" when it did not say. */
  version: string;
  collections: CollectionSample[];
}

/** One round: everything looked at once. */
export interface Sample {
  /** Milliseconds since the gate began, when the round was complete. */
  at: number;
  containers: ContainerSample[];
  /** Null when the vector store is not looked at. */
  qdrant: QdrantSample | null;
}

/** What the verdict needs to know of the inputs. */
export type GateSpec = Pick<GateInputs, "passes" | "deadlineMs" | "healthPath"> & { before: Record<string, number> };

export interface Concern {
  reason: string;
  /** The container that it is about, if it is about one. */
  container?: string;
}

export type Verdict = { verdict: "pass" } | ({ verdict: "continue" } & Concern) | ({ verdict: "fail" } & Concern);
