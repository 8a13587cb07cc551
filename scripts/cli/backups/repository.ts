import { mkdtemp, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { repositoryEnv } from "../../../components/repository/address.js";
import { copyOut } from "../../../components/repository/fetch.js";
import { errors } from "../../../components/runtime/errors.js";
import { isAlive, thisProcess } from "../../../components/runtime/liveness.js";
import type { DataPaths } from "../../../components/runtime/paths.js";
import { assertOperatorConfig } from "../check-config.js";
import { Engine } from "../engine.js";
import { printError } from "../output.js";
import type { Workspace } from "../workspace.js";

/** The part of the stack's config that is needed. */
const shown = z.object({ "pbjrag:backup": z.object({ objectValue: z.object({
  repository: z.string().optional(), repositoryPassword: z.coerce.string().optional(), repositoryEnv: z.record(z.string(), z.coerce.string()).default({}),
}) }) });

/** Whether the stack's config names a repository. */
export function hasRepository(ws: Workspace): boolean {
  return assertOperatorConfig(ws).backup.repository !== undefined;
}

/**
 * What restic is to be told, secrets in it: asked from Pulumi.
 * @throws ReleaseError usage where none is configured, and as {@link Engine.ensureStack}
 */
export async function repositoryOf(ws: Workspace, engine: Engine = new Engine(ws, {}, null)): Promise<Record<string, string>> {
  if (!hasRepository(ws)) {
    throw errors.usage({ why: `stack ${ws.stack} has no repository that its backups are sent to`, next: "set pbjrag:backup.repository and pbjrag:backup.repositoryPassword; README.md says how" });
  }
  await engine.ensureStack();
  const env = repositoryEnv(shown.parse(await engine.shownConfig())["pbjrag:backup"].objectValue);
  if (env === null) throw errors.usage({ why: "the repository of backups has no password", next: "set pbjrag:backup.repositoryPassword" });
  return env;
}

/** Copies that are only looked at are in directories called so, below that of running releases. */
const COPY = "copy-";

/** Reads a backup of the repository into a directory of its own for as long as it is looked at. */
export async function withCopy<T>(ws: Workspace, env: Readonly<Record<string, string>>, name: string, look: (directory: string) => Promise<T>): Promise<T> {
  await sweepCopies(ws.paths);
  const { pid, startTime } = thisProcess();
  const root = await mkdtemp(path.join(ws.paths.run, `${COPY}${pid}-${startTime ?? ""}-`));
  try {
    const say = (line: string): void => printError([line]);
    return await look(await copyOut(env, name, path.join(root, "of"), { paths: ws.paths, say }));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** Removes those of killed processes: their names say whose they are. */
async function sweepCopies({ run }: DataPaths): Promise<void> {
  for (const name of await readdir(run)) {
    const [, pid, startTime] = /^copy-(\d+)-(\d*)-/.exec(name) ?? [];
    if (pid === undefined || isAlive({ pid: Number(pid), startTime: startTime === "" ? null : Number(startTime) })) continue;
    await rm(path.join(run, name), { recursive: true, force: true });
  }
}
