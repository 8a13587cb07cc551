import { pin, unpin } from "../../../components/backup/pins.js";
import { EXIT } from "../../../components/runtime/errors.js";
import type { Outcome } from "../outcome.js";
import { endLeftovers } from "../leftovers.js";
import { Run } from "../run.js";
import type { Workspace } from "../workspace.js";
import { findBackup } from "./find.js";

/** Under the lock, so that no prune decides meanwhile. */
export async function pinBackup(ws: Workspace, name: string, word: "pin" | "unpin", waitMs: number): Promise<Outcome> {
  await findBackup(ws, name);
  return Run.conduct(ws, { command: "pin", beside: true, waitMs }, async (run) => {
    await endLeftovers(run);
    await findBackup(ws, name);
    await (word === "pin" ? pin : unpin)(ws.paths.backups, name);
    const summary = word === "pin" ? `${name} is pinned: it stays until it is unpinned` : `${name} is no longer pinned`;
    return { exitCode: EXIT.done, summary, next: "" };
  });
}
