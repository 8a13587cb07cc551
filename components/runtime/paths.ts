/** Where a stack's files lie. Pure: nothing is created here. */
import { isAbsolute, join, resolve } from "node:path";

export interface DataPaths {
  stack: string;
  /** Absolute. */
  dataDir: string;
  /** Finished backups of this stack, one directory each. */
  backups: string;
  /** Logs of all stacks: a log's name begins with its kind. */
  logs: string;
  /** Receipts of this stack's runs. */
  reports: string;
  /** What belongs to running releases of this stack: lock, journal, samples. */
  run: string;
  lock: string;
  journal: string;
  /** Pulumi's state, when it is kept in local files. */
  state: string;
  /** The key that tells this stack's backups from others: neither among them nor sent with them. */
  backupKey: string;
}

/** Stack names as Pulumi allows them, without an organisation: anything else could leave the directory. */
const STACK = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/**
 * @param dataDir absolute, or relative to `projectDir`
 * @throws RangeError for a stack name that is no plain file name
 */
export function dataPaths(dataDir: string, stack: string, projectDir: string = process.cwd()): DataPaths {
  if (!STACK.test(stack)) {
    throw new RangeError(`stack name ${JSON.stringify(stack)} is not usable as a directory name`);
  }
  const base = isAbsolute(dataDir) ? resolve(dataDir) : resolve(projectDir, dataDir);
  const run = join(base, ".release", "run", stack);
  return {
    stack,
    dataDir: base,
    backups: join(base, "backups", stack),
    logs: join(base, "logs"),
    reports: join(base, "reports", stack),
    run,
    lock: join(run, "lock"),
    journal: join(run, "journal.ndjson"),
    state: join(base, ".release", "state"),
    backupKey: join(base, ".release", "keys", `${stack}.key`),
  };
}

/** Paths and commands that messages name: they are no secrets, whatever word a secret is. Pure. */
export function knownTexts({ stack, dataDir, backups, logs, reports, run, state }: DataPaths): string[] {
  const below = ["backups", "reports", "states"].map((kind) => `${kind}/${stack}`);
  const scripts = ["backups", "checklist", "deploy", "drill", "finish", "history", "pulumi", "restore", "rollback", "setup", "status", "watch"].map((name) => `scripts/${name}.sh`);
  return [dataDir, backups, logs, reports, run, state, ...below, `.release/run/${stack}`, ...scripts, `Pulumi.${stack}.yaml`, `--stack ${stack}`];
}

/** Paths as a handler sees them: the CLI's absolute directory goes before the recorded, possibly relative one. */
export function handlerPaths(inputs: { dataDir: string; stack: string }, env: NodeJS.ProcessEnv = process.env): DataPaths {
  return dataPaths(env.PBJRAG_DATA_DIR || inputs.dataDir, inputs.stack);
}

/** `YYYYMMDD-HHMMSS` in UTC: for the names of logs and backups. For people; never used for order. */
export function stamp(at: Date = new Date()): string {
  const iso = at.toISOString();
  return `${iso.slice(0, 10).replaceAll("-", "")}-${iso.slice(11, 19).replaceAll(":", "")}`;
}
