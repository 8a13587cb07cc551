import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/**
 * The backend that `pulumi login` has chosen, or null. Pulumi keeps that in `credentials.json`, whose `current` names it, in
 * PULUMI_CREDENTIALS_PATH, else in PULUMI_HOME, else in `~/.pulumi`.
 */
export function currentLogin(env: NodeJS.ProcessEnv): string | null {
  const directory = env["PULUMI_CREDENTIALS_PATH"] || env["PULUMI_HOME"] || path.join(env["HOME"] || homedir(), ".pulumi");
  try {
    const credentials = JSON.parse(readFileSync(path.join(directory, "credentials.json"), "utf8")) as { current?: string };
    return credentials.current || null;
  } catch {
    return null;
  }
}

/** Whether `pulumi login` has chosen a backend. */
export function isLoggedIn(env: NodeJS.ProcessEnv): boolean {
  return currentLogin(env) !== null;
}
