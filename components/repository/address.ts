/** Where restic keeps what leaves this machine, as config names it. Pure. */
import { decoded } from "../runtime/encodings.js";

/** What config says of it: the address may hold a password of its own, so all of it is treated as secret. */
export interface RepositoryConfig {
  repository?: string | undefined;
  repositoryPassword?: string | undefined;
  /** Variables for restic: `AWS_ACCESS_KEY_ID`, for one. */
  repositoryEnv: Readonly<Record<string, string>>;
}

/** Variables with which restic is told the rest: these are ours to set. */
const OURS = /^RESTIC_(?:REPOSITORY|PASSWORD)/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const REMOTE = /^(?:sftp|s3|rest|b2|azure|gs|swift|rclone):\S+$/;

/** The environment that restic needs, secrets in it; null where nothing leaves this machine. */
export function repositoryEnv({ repository, repositoryPassword, repositoryEnv: env }: RepositoryConfig): Record<string, string> | null {
  if (repository === undefined || repositoryPassword === undefined) return null;
  return { ...env, RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: repositoryPassword };
}

/** The address as it may be shown: without user and password. */
export function shownAddress(address: string): string {
  return address.replace(/^((?:[a-z0-9]+:)?[a-z0-9+]+:\/\/)[^/@]*@/i, "$1***@");
}

/** What no line may hold. */
export function secretsIn(env: Readonly<Record<string, string>>): string[] {
  const { RESTIC_REPOSITORY: address = "", ...others } = env;
  const [, user = ""] = /:\/\/([^/@]*)@/.exec(address) ?? [];
  return [...Object.values(others), ...user.split(":").slice(1), ...user.split(":").slice(1).map(decoded)].filter((text) => text !== "");
}

/** One thing that is wrong: the key below `backup`, what, and what to do. */
export type RepositoryFault = readonly [key: "repository" | "repositoryPassword" | `repositoryEnv.${string}`, what: string, next: string];

export function repositoryFaults({ repository, repositoryPassword, repositoryEnv: env }: RepositoryConfig): RepositoryFault[] {
  const faults: RepositoryFault[] = [];
  if (repository === undefined) {
    if (repositoryPassword !== undefined) faults.push(["repositoryPassword", "is set, and backup.repository is not", "name the repository, or remove this key"]);
  } else {
    if (!/^\/[^\0-\x1f]*$/.test(repository) && !REMOTE.test(repository)) {
      // Not shown: it may hold a password.
      faults.push(["repository", "is no address of a restic repository", "give an absolute path, sftp:user@host:/path, s3:https://host/bucket or rest:https://host:8000/"]);
    }
    if (repositoryPassword === undefined) faults.push(["repositoryPassword", "is missing: what leaves this machine is encrypted with it", "set it: pulumi config set --secret --path pbjrag:backup.repositoryPassword"]);
  }
  if (repositoryPassword !== undefined && !/^[^\0\r\n]+$/.test(repositoryPassword)) {
    faults.push(["repositoryPassword", "is empty or more than one line", "use one line of text"]);
  }
  for (const [name, value] of Object.entries(env)) {
    const key = `repositoryEnv.${VARIABLE.test(name) ? name : JSON.stringify(name)}` as const;
    if (!VARIABLE.test(name)) faults.push([key, "is no name for an environment variable", "use letters, digits and underscores"]);
    else if (OURS.test(name)) faults.push([key, "is set by this program itself", "remove it"]);
    if (value.includes("\0")) faults.push([key, "holds a NUL character, which no environment can", "remove the character"]);
  }
  return faults;
}
