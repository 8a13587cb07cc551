import path from "node:path";
import { z } from "zod";
import { EXIT, ReleaseError } from "../../components/runtime/errors.js";
import { readJson } from "../../components/runtime/whole-file.js";
import { localStateIn } from "./local-state.js";
import { currentLogin } from "./login.js";
import { replaceFile } from "./replace-file.js";
import type { Workspace } from "./workspace.js";

/** Where Pulumi is told to keep the state, and by what. */
export interface Backend {
  /** Without user and password. */
  url: string;
  by: "environment" | "login" | "default";
}

export function askedBackend(ws: Pick<Workspace, "env">, env: NodeJS.ProcessEnv = process.env): Backend {
  const set = env["PULUMI_BACKEND_URL"];
  if (set) return { url: shown(set), by: "environment" };
  const own = ws.env["PULUMI_BACKEND_URL"];
  return own === undefined ? { url: shown(currentLogin(env) ?? ""), by: "login" } : { url: shown(own), by: "default" };
}

const schema = z.object({ url: z.string() });
const fileOf = ({ paths }: Pick<Workspace, "paths">): string => path.join(paths.run, "backend.json");

/** Writes down which backend has the stack's releases: only for who holds its lock. */
export function rememberBackend(ws: Workspace): void {
  const { url } = askedBackend(ws);
  if (readJson(fileOf(ws), schema)?.url !== url) replaceFile(fileOf(ws), JSON.stringify({ url }), 0o600);
}

/**
 * A state that is lost may only be looked for in the wrong place: then importing a copy would make a second one.
 * @param why what is missing in the backend that was asked
 * @returns null where nothing tells of another backend
 */
export function otherBackend(ws: Workspace, why: string): ReleaseError | null {
  const asked = askedBackend(ws);
  const own = `file://${ws.paths.state}`;
  const had = readJson(fileOf(ws), schema)?.url ?? (localStateIn(ws.paths.state, ws.stack)?.problem === "" ? own : null);
  if (had === null || had === asked.url) return null;
  const who = { environment: "PULUMI_BACKEND_URL names", login: "pulumi login has chosen", default: "without PULUMI_BACKEND_URL and without a login it is" }[asked.by];
  return new ReleaseError({
    code: "otherBackend", exitCode: EXIT.refused,
    what: `Stack ${ws.stack} is kept in another Pulumi backend than the one that was asked, nothing was touched`,
    why: `${who} ${asked.url}, where ${why}; its releases were recorded in ${had}`,
    next: had === own && asked.by === "environment" ? "unset PULUMI_BACKEND_URL, then run again" : `export PULUMI_BACKEND_URL=${had}, then run again`,
  });
}

/** Whoever reads the message need not know the password. */
function shown(url: string): string {
  const without = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, "$1");
  return without.length > 1 ? without.replace(/\/+$/, "") : without;
}
