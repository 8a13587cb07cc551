import { listBackups } from "../../../components/backup/list.js";
import { mebibytes } from "../../../components/backup/space.js";
import { fetchBackup } from "../../../components/repository/fetch.js";
import { sendBackup } from "../../../components/repository/send.js";
import { errors, EXIT } from "../../../components/runtime/errors.js";
import type { Outcome } from "../outcome.js";
import { endLeftovers } from "../leftovers.js";
import { Run } from "../run.js";
import type { Workspace } from "../workspace.js";
import { findBackup } from "./find.js";
import { repositoryOf } from "./repository.js";
import { countOf } from "./words.js";

export interface SendOptions {
  /** The newest proven one when undefined. */
  name: string | undefined;
  all: boolean;
  waitMs: number;
}

/** Sends backups that are here to the repository, under the lock: none is pruned meanwhile. */
export async function sendBackups(ws: Workspace, { name, all, waitMs }: SendOptions): Promise<Outcome> {
  if (name !== undefined && all) throw errors.usage({ why: "a name and --all contradict each other", next: "say one of them" });
  return Run.conduct(ws, { command: "send", beside: true, waitMs }, async (run) => {
    await endLeftovers(run);
    const env = await repositoryOf(ws, run.engine);
    const names = await namesFor(ws, name, all);
    let added = 0;
    let stored = true;
    for (const one of names) {
      run.checkpoint();
      const sent = await sendBackup(env, one, { paths: ws.paths, signal: run.stopped, say: (line) => run.say(line) });
      added += sent.added;
      stored &&= sent.stored;
      if (sent.known) run.say(`backup ${one} is there already (snapshot ${sent.snapshot})`);
    }
    const summary = names.length === 0 ? "there is no backup to send" : `the repository holds ${countOf(names.length, "backup")}: ${names.join(", ")}; ${mebibytes(added)}${stored ? "" : " (before compression)"} were added`;
    return { exitCode: EXIT.done, summary, next: "" };
  });
}

async function namesFor(ws: Workspace, name: string | undefined, all: boolean): Promise<string[]> {
  if (name !== undefined) return [(await findBackup(ws, name)).name];
  const proven = (await listBackups(ws.paths)).filter((backup) => backup.proven && backup.problem === "").map((backup) => backup.name);
  return all ? proven : proven.slice(-1);
}

/** Brings a backup back from the repository, under the lock. */
export async function fetchOne(ws: Workspace, name: string, waitMs: number): Promise<Outcome> {
  return Run.conduct(ws, { command: "fetch", beside: true, waitMs }, async (run) => {
    await endLeftovers(run);
    await bringBack(run, name);
    return { exitCode: EXIT.done, summary: `backup ${ws.paths.backups}/${name} is here, verified to its end`, next: "" };
  });
}

/** For who holds the lock. */
export async function bringBack(run: Run, name: string): Promise<void> {
  const env = await repositoryOf(run.ws, run.engine);
  await fetchBackup(env, name, { paths: run.ws.paths, token: run.id, signal: run.stopped, say: (line) => run.say(line) });
}
