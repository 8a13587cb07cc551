/**
 * Errors that a person reads: what happened, why, and what to do next, with the exit code that follows.
 * The catalogue is the one place for their words, so that one fault reads the same wherever it is met.
 */

import { readable, readableLine } from "./readable.js";

/** Exit codes of the scripts. */
export const EXIT = {
  done: 0,
  /** Refused or failed before anything that serves was touched. */
  refused: 2,
  rolledBack: 3,
  notRolledBack: 4,
  /** Done, but unverified or unhealthy. */
  unverified: 5,
  /** Another release is under way. */
  busy: 6,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorText {
  /** What happened, as a clause without a full stop. */
  what: string;
  /** Why, as a clause without a full stop. */
  why: string;
  /** What to do now, as a clause without a full stop. */
  next: string;
  /** Evidence, shown indented below the message: last lines of a log, for one. */
  lines?: readonly string[];
}

export interface ReleaseErrorInit extends ErrorText {
  /** Stable name, for programs. */
  code: string;
  exitCode: ExitCode;
  cause?: unknown;
}

export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: string;
  readonly what: string;
  readonly why: string;
  readonly next: string;
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;

  constructor(init: ReleaseErrorInit) {
    // Parts of these come from apps, servers and files; the engine shows them without asking us.
    const [what, why, next, lines] = [readable(init.what), readable(init.why), readable(init.next), (init.lines ?? []).map(readableLine)];
    super(sentence({ what, why, next, lines }), init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code;
    this.what = what;
    this.why = why;
    this.next = next;
    this.lines = lines;
    this.exitCode = init.exitCode;
  }
}

function sentence(text: ErrorText): string {
  const head = `${text.what}: ${text.why}. Next: ${text.next}`;
  return [head, ...(text.lines ?? []).map((line) => `  | ${line}`)].join("\n");
}

/** The words of any thrown value. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) {
    // An AggregateError (a refused connection to two addresses) has an empty message of its own.
    const inner = error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : "";
    return error.message || inner || error.name;
  }
  return String(error);
}

/** For what takes nothing else. */
export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error));
}

/** The system's or a library's code of an error (`ENOENT`, `ECONNREFUSED`), "" where it has none. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "";
}

/** Gives an error of any origin the form of ours; one of ours passes unchanged. */
export function asReleaseError(error: unknown, what: string, exitCode: ExitCode = EXIT.notRolledBack): ReleaseError {
  if (error instanceof ReleaseError) {
    return error;
  }
  return new ReleaseError({
    code: "unexpected",
    what,
    why: messageOf(error),
    next: "see the log named above for the whole story, then run the same command again",
    exitCode,
    cause: error,
  });
}

type Factory<D> = (details: D, cause?: unknown) => ReleaseError;

function entry<D>(code: string, exitCode: ExitCode, text: (details: D) => ErrorText): Factory<D> {
  return (details, cause) => new ReleaseError({ code, exitCode, ...text(details), cause });
}

/** The catalogue: a code, its exit code, and its words as a function of the details. */
export const errors = {
  // Settings, source
  configRefused: entry<{ problems: readonly string[] }>("configRefused", EXIT.refused, (d) => ({
    what: "The settings are refused, nothing was touched",
    why: d.problems.length === 1 ? (d.problems[0] ?? "") : `${d.problems.length} problems`,
    next: "correct them with `pulumi config set` or in the stack's file, then run again",
    lines: d.problems.length === 1 ? [] : d.problems,
  })),
  sourceRefused: entry<{ subject: string; why: string; next: string }>("sourceRefused", EXIT.refused, (d) => ({
    what: `${d.subject} cannot be released, nothing was touched`,
    why: d.why,
    next: d.next,
  })),
  passphraseWrong: entry<{ stack: string }>("passphraseWrong", EXIT.refused, (d) => ({
    what: `Stack ${d.stack} cannot be opened, nothing was touched`,
    why: "the passphrase is not the one that its secrets were encrypted with",
    next: "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to the right one",
  })),
  passphraseMissing: entry<{ stack: string; why: string }>("passphraseMissing", EXIT.refused, (d) => ({
    what: `Stack ${d.stack} cannot be opened, nothing was touched`,
    why: d.why,
    next: "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or log in to a Pulumi backend",
  })),
  dataDirUnusable: entry<{ dataDir: string; why: string }>("dataDirUnusable", EXIT.refused, (d) => ({
    what: `Nothing can be kept in dataDir ${d.dataDir}, nothing was touched`,
    why: d.why,
    next: "make it a directory that this user can write to, or name another: pbjrag:dataDir in the stack's file",
  })),
  stateLost: entry<{ stack: string; why: string; next: string }>("stateLost", EXIT.refused, (d) => ({
    what: `The state of stack ${d.stack} is lost, damaged or old, nothing was touched`,
    why: d.why,
    next: d.next,
  })),
  neverReleased: entry<{ stack: string; tag: string; known: readonly string[] }>("neverReleased", EXIT.refused, (d) => ({
    what: `Stack ${d.stack} cannot go back to ${d.tag}, nothing was touched`,
    why: "it was never released here",
    next: d.known.length === 0 ? "deploy it instead" : "choose one of those listed above, or deploy it instead",
    lines: d.known,
  })),
  capacityRefused: entry<{ problems: readonly string[] }>("capacityRefused", EXIT.refused, (d) => ({
    what: "The release needs more than this host has, nothing was touched",
    why: d.problems.join("; "),
    next: "lower the limits (app.cpus, app.memory, app.replicas, qdrant), set keepWarm to false, or use a larger host",
  })),
  volumeForeign: entry<{ volume: string; owner: string }>("volumeForeign", EXIT.refused, (d) => ({
    what: `Volume ${d.volume} is refused, nothing was touched`,
    why: `it belongs to stack ${d.owner}`,
    next: "give this stack volumes of its own (pbjrag:volumes)",
  })),
  portTaken: entry<{ address: string; by: string }>("portTaken", EXIT.refused, (d) => ({
    what: `The front door cannot listen on ${d.address}, nothing was touched`,
    why: `${d.by} listens there`,
    next: "stop it, or choose another port with `pulumi config set --path pbjrag:proxy.port`",
  })),
  usage: entry<{ why: string; next: string }>("usage", EXIT.refused, (d) => ({ what: "The command is refused, nothing was touched", why: d.why, next: d.next })),

  // Docker
  dockerUnavailable: entry<{ socket: string; why: string }>("dockerUnavailable", EXIT.refused, (d) => ({
    what: `Docker does not answer on ${d.socket}`,
    why: d.why,
    next: "run scripts/setup.sh, which starts or installs it, then run again",
  })),
  engineUnsupported: entry<{ socket: string; name: string; lacks: string }>("engineUnsupported", EXIT.refused, (d) => ({
    what: `${d.name} answers on ${d.socket}, and only Docker is supported`,
    why: d.lacks,
    next: "install Docker Engine 20.10 or newer and let DOCKER_HOST name its socket (docs/engines.md tells what was tried)",
  })),
  dockerTimeout: entry<{ what: string; ms: number }>("dockerTimeout", EXIT.notRolledBack, (d) => ({
    what: `Docker did not finish in time: ${d.what}`,
    why: `no answer within ${seconds(d.ms)}`,
    next: "see whether the host is overloaded or the Docker daemon hangs (docker info), then run again",
  })),
  dockerFailed: entry<{ what: string; why: string }>("dockerFailed", EXIT.notRolledBack, (d) => ({
    what: `Docker refused: ${d.what}`,
    why: d.why,
    next: "see `docker ps -a` and the daemon's log, then run again",
  })),
  containerMissing: entry<{ container: string }>("containerMissing", EXIT.notRolledBack, (d) => ({
    what: `Container ${d.container} is not there`,
    why: "Docker knows no container of that name",
    next: "run the deploy again: it declares what is missing",
  })),
  execTimeout: entry<{ container: string; command: string; ms: number; killed: boolean }>("execTimeout", EXIT.notRolledBack, (d) => ({
    what: `A command in container ${d.container} did not end: ${d.command}`,
    why: `it ran for more than ${seconds(d.ms)} and ${d.killed ? "was killed" : "may still be running"}`,
    next: "run again; if it repeats, see the container's log",
  })),

  // The lock
  lockHeld: entry<{ stack: string; holder: string }>("lockHeld", EXIT.busy, (d) => ({
    what: `Another release of stack ${d.stack} is under way`,
    why: d.holder,
    next: "wait for it (--wait 10m waits for you), or end that process if it hangs",
  })),
  lockLost: entry<{ stack: string; fence: string; why: string }>("lockLost", EXIT.notRolledBack, (d) => ({
    what: `This run no longer holds the lock of stack ${d.stack} (its number was ${d.fence}), so it stops here`,
    why: d.why,
    next: "scripts/status.sh tells what serves and who holds the lock",
  })),

  // The phases of a release
  backupFailed: entry<{ before: string; why: string; next?: string; lines?: readonly string[] }>("backupFailed", EXIT.refused, (d) => ({
    what: `The backup before ${d.before} failed, so nothing was released and what serves is untouched`,
    why: d.why,
    next: d.next ?? "remove the cause and run again; --no-backup --reason R goes without one",
    lines: d.lines,
  })),
  backupUnusable: entry<{ backup: string; problems: readonly string[] }>("backupUnusable", EXIT.refused, (d) => ({
    what: `Backup ${d.backup} cannot be used, nothing was touched`,
    why: d.problems.length === 1 ? (d.problems[0] ?? "") : `${d.problems.length} problems`,
    next: "choose another: `scripts/backups.sh verify --all` tells which are good",
    lines: d.problems.length === 1 ? [] : d.problems,
  })),
  repositoryFailed: entry<{ why: string; next?: string; lines?: readonly string[] }>("repositoryFailed", EXIT.refused, (d) => ({
    what: "The repository of backups cannot be used",
    why: d.why,
    next: d.next ?? "see whether its address and password (pbjrag:backup.repository, .repositoryPassword) are right and it can be reached, then run again",
    lines: d.lines,
  })),
  adoptFailed: entry<{ containers: readonly string[]; why: string }>("adoptFailed", EXIT.notRolledBack, (d) => ({
    what: `${d.containers.join(", ")} could not be taken over from`,
    why: d.why,
    next: "see docker ps -a; what was stopped is started by docker start; then run again",
  })),
  restoreFailed: entry<{ generation: string; from: string; why: string; next?: string; lines?: readonly string[] }>("restoreFailed", EXIT.rolledBack, (d) => ({
    what: `Data generation ${d.generation} was not made${d.from === "" ? "" : ` from backup ${d.from}`}, what serves is untouched`,
    why: d.why,
    next: d.next ?? "remove the cause and run again",
    lines: d.lines,
  })),
  buildFailed: entry<{ tag: string; why: string; lines?: readonly string[] }>("buildFailed", EXIT.rolledBack, (d) => ({
    what: `The image of ${d.tag} was not built`,
    why: d.why,
    next: "correct the Dockerfile at a new tag and deploy that",
    lines: d.lines,
  })),
  frontFailed: entry<{ why: string; next?: string }>("frontFailed", EXIT.rolledBack, (d) => ({
    what: "The front door could not be prepared, what serves is untouched",
    why: d.why,
    next: d.next ?? "see `docker logs` of the proxy container, then run again",
  })),
  gateFailed: entry<{ tag: string; revision: string; reason: string; log: string; next?: string; lines?: readonly string[] }>(
    "gateFailed",
    EXIT.rolledBack,
    (d) => ({
      what: `${d.tag} (${d.revision}) did not pass the gate, no user was sent to it`,
      why: d.reason,
      next: d.next ?? (d.log === "" ? "correct the release at a new tag and deploy that" : `read ${d.log}, correct the release at a new tag and deploy that`),
      lines: d.lines,
    }),
  ),
  routeFailed: entry<{ revision: string; why: string; serving: string; next?: string }>("routeFailed", EXIT.rolledBack, (d) => ({
    what: `Traffic was not moved to ${d.revision}`,
    why: `${d.why}; ${d.serving === "" ? "nothing serves" : `${d.serving} serves`}`,
    next: d.next ?? "run again: the route is compared with the live proxy and repaired",
  })),
  canaryFailed: entry<{ tag: string; revision: string; why: string; lines?: readonly string[] }>("canaryFailed", EXIT.rolledBack, (d) => ({
    what: `${d.tag} (${d.revision}) failed as a canary, nobody is sent to it any more`,
    why: d.why,
    next: `correct it at a new tag and try that; without a canary: scripts/deploy.sh --version ${d.tag}`,
    lines: d.lines,
  })),
  pauseOver: entry<{ stack: string }>("pauseOver", EXIT.rolledBack, (d) => ({
    what: "Traffic stays where it is",
    why: `the pause of writes on ${d.stack} is over, so users may have written what the new data does not have`,
    next: "run scripts/deploy.sh, which takes a new backup (with plain pulumi: pulumi config set pbjrag:attempt WORD, then up)",
  })),
  writtenMeanwhile: entry<{ changed: readonly string[] }>("writtenMeanwhile", EXIT.rolledBack, (d) => ({
    what: "Traffic stays where it is",
    why: `something wrote to Qdrant while users could not: ${d.changed.join(", ")}`,
    next: "stop what writes to it past the front door, then run again",
  })),
  updateFailed: entry<{ why: string; log: string }>("updateFailed", EXIT.notRolledBack, (d) => ({
    what: "The update failed",
    why: d.why,
    next: `read ${d.log}, then run the same command again`,
  })),
  interrupted: entry<{ serving: string }>("interrupted", EXIT.interrupted, (d) => ({
    what: "Interrupted",
    why: d.serving === "" ? "nothing serves" : `${d.serving} serves`,
    next: "run the same command again: it goes on from here",
  })),
};

/** `90000` as `90 s`; short spans in milliseconds. */
function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
}
