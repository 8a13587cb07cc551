import { rename, rm } from "node:fs/promises";
import path from "node:path";
import { codeOf } from "../runtime/errors.js";
import { dockerCall, listByLabels, removeContainer } from "../runtime/docker.js";
import { labelFilter } from "../runtime/labels.js";
import type { Context } from "./context.js";
import { directoryNames } from "./files.js";
import { isLeftover, sweptName } from "./names.js";
import { sweepPipes } from "./pipe.js";
import { removeVolume } from "./scratch.js";

/**
 * Removes what dead runs of this stack left: who calls it holds the lock and has no backup under way, so all of it is theirs.
 * Snapshots left in Qdrant are in pending.ts: they need a Qdrant that answers.
 */
export async function sweep(stack: string, context: Pick<Context, "paths" | "token" | "say" | "assertHolds">): Promise<void> {
  context.assertHolds();
  for (const name of await directoryNames(context.paths.backups)) {
    if (isLeftover(name)) {
      await removeUnfinished(path.join(context.paths.backups, name), context.token);
      context.say(`removed the unfinished backup ${name} of an earlier run`);
    }
  }
  for (const container of await listByLabels({ stack, role: "scratch" }, { all: true })) {
    // Docker can go on listing one that is gone.
    if (await removeContainer(container.Id)) context.say(`removed the container ${(container.Names[0] ?? container.Id).replace(/^\//, "")} of an earlier run`);
  }
  const filters = JSON.stringify({ label: labelFilter({ stack, role: "scratch" }) });
  const { Volumes: volumes } = await dockerCall("list volumes", (client, abortSignal) => client.listVolumes({ filters, abortSignal }));
  for (const volume of volumes) {
    await removeVolume(volume.Name);
    context.say(`removed the volume ${volume.Name} of an earlier run`);
  }
  await sweepPipes(context.paths.run);
}

/** Renamed first: whoever still writes it can no longer give it a finished backup's name. */
export async function removeUnfinished(directory: string, token: string): Promise<void> {
  const swept = path.join(path.dirname(directory), sweptName(path.basename(directory), token));
  try {
    await rename(directory, swept);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return;
    throw error;
  }
  await rm(swept, { recursive: true, force: true });
}
