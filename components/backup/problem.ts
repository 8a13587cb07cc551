import { QdrantError, type QdrantFailure } from "../qdrant/client.js";
import { codeOf, messageOf } from "../runtime/errors.js";

/** Why a backup failed; in the journal beside the words. */
export type BackupCode =
  | "aborted"
  | "aliases"
  | "collections-changed"
  | "count"
  | "damaged"
  | "deadline"
  | "disk-full"
  | "docker"
  | "image"
  | "qdrant-answer"
  | "qdrant-down"
  | "qdrant-timeout"
  | "request"
  | "sample"
  | "scratch"
  | "several"
  | "unexpected"
  | "write";

/** One cause in words; main.ts puts them into the catalogue's `backupFailed`. */
export class BackupProblem extends Error {
  override readonly name = "BackupProblem";

  constructor(
    readonly code: BackupCode,
    /** A clause without a full stop. */
    readonly why: string,
    /** A clause; undefined: the catalogue's own. */
    readonly next?: string,
    /** Evidence, as the last lines of a log. */
    readonly lines?: readonly string[],
  ) {
    super(why);
  }
}

/** Passes a problem, and gives any other failure of `doing` its words. */
export function problemFrom(error: unknown, code: BackupCode, doing: string): BackupProblem {
  if (error instanceof BackupProblem) return error;
  return new BackupProblem(code, `${doing}: ${messageOf(error)}`);
}

/** Also of what was not written by files.ts: a mark, a directory. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof BackupProblem ? error.code === "disk-full" : ["ENOSPC", "EDQUOT"].includes(codeOf(error));
}

const QDRANT_CODES: Readonly<Record<QdrantFailure, BackupCode>> = {
  timeout: "qdrant-timeout",
  unreachable: "qdrant-down",
  refused: "qdrant-answer",
  answer: "qdrant-answer",
  aborted: "aborted",
};

const LOOK = "see `docker logs` of the Qdrant container, then run again";
/** A server that answers and cannot give its data. */
const ILL = `${LOOK}; data that is damaged is made anew from a backup by \`scripts/restore.sh BACKUP --no-backup --reason R\``;

/** A request that failed, as a problem; anything else as it is. */
export function fromQdrant(error: unknown): unknown {
  if (!(error instanceof QdrantError)) return error;
  const code = QDRANT_CODES[error.failure];
  return new BackupProblem(code, error.message, code === "qdrant-answer" ? ILL : LOOK);
}
