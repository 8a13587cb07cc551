import path from "node:path";
import { ensureKey, isKnown, sign } from "../../../components/backup/origin.js";
import { manifestBytes } from "../../../components/backup/manifest-file.js";
import { assertUsable } from "../../../components/backup/verify.js";
import { EXIT } from "../../../components/runtime/errors.js";
import { endLeftovers } from "../leftovers.js";
import type { Outcome } from "../outcome.js";
import { Run } from "../run.js";
import type { Workspace } from "../workspace.js";
import { findBackup } from "./find.js";

/** Takes a backup for the stack's own, under the lock, once it was verified to its end. @throws ReleaseError `backupUnusable` */
export async function acceptBackup(ws: Workspace, name: string, waitMs: number): Promise<Outcome> {
  await findBackup(ws, name);
  return Run.conduct(ws, { command: "accept", beside: true, waitMs }, async (run) => {
    await endLeftovers(run);
    await findBackup(ws, name);
    const directory = path.join(ws.paths.backups, name);
    const { stack } = await assertUsable(directory, { signal: run.stopped });
    run.checkpoint();
    const { key } = await ensureKey(ws.paths);
    if (isKnown(directory, ws.stack, key, manifestBytes(directory))) return { exitCode: EXIT.done, summary: `${name} is the stack's own`, next: "" };
    await sign(directory, ws.stack, key);
    run.journal.write({ phase: "verify", event: "info", message: `backup ${name} was accepted`, data: { backup: name, stack } });
    return { exitCode: EXIT.done, summary: `${name} is whole, and the stack's own from now on${stack === ws.stack ? "" : `; its manifest says that it is of stack ${stack}`}`, next: "" };
  });
}
