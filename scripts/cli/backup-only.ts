import { readFileSync } from "node:fs";
import { execa } from "execa";
import { sendBackup } from "../../components/repository/send.js";
import { EXIT, ReleaseError } from "../../components/runtime/errors.js";
import { failure } from "../../components/runtime/journal.js";
import { backupOutcomeSchema } from "../../components/backup/model.js";
import { backupRequest } from "../../components/backup/request.js";
import { stackNames } from "../../components/release/names.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { quietly } from "../../components/release/pause.js";
import { isObject } from "../../components/settings/defaults.js";
import { hasRepository, repositoryOf } from "./backups/repository.js";
import type { Outcome } from "./outcome.js";
import { recoverOnly } from "./recover.js";
import { Run } from "./run.js";
import { configValue } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/** Takes a backup of what runs, under the lock, and changes nothing else. */
export async function backupOnly(ws: Workspace, options: { waitMs: number }): Promise<Outcome> {
  return Run.conduct(ws, { command: "rollback", beside: true, waitMs: options.waitMs }, async (run) => {
    const present = (await recoverOnly(run))?.ledger.at(-1);
    if (present === undefined) {
      return { exitCode: EXIT.refused, summary: `nothing is released on ${ws.stack}, so there is nothing to back up`, next: "run scripts/deploy.sh" };
    }
    const child = execa("node", ["dist/components/backup/main.js"], {
      cwd: ws.projectDir, reject: false, detached: true, cleanup: false, stdin: "ignore",
      env: { ...run.env, PBJRAG_BACKUP: JSON.stringify(requestFor(ws, present)) },
    });
    run.whileChild(child);
    const result = await child;
    if (run.interrupted) return { exitCode: EXIT.refused, summary: "the backup was stopped and removed; nothing else was touched", next: "" };
    if (result.exitCode !== 0) {
      return { exitCode: EXIT.refused, summary: failure(run.events())?.message ?? result.stderr.trim(), next: "mend the cause and run again; nothing was touched" };
    }
    const outcome = backupOutcomeSchema.parse(JSON.parse(result.stdout));
    if (outcome.backup === "") return { exitCode: EXIT.done, summary: `no backup was made: ${outcome.reason}`, next: "" };
    const summary = `backup ${ws.paths.backups}/${outcome.backup}, proven by restoring it into a scratch Qdrant`;
    const unsent = hasRepository(ws) ? await send(run, outcome.backup) : null;
    return unsent === null ? { exitCode: EXIT.done, summary, next: "" } : { exitCode: EXIT.unverified, summary: `${summary}, is on this machine alone: ${unsent.why}`, next: unsent.next };
  });
}

/** @returns why it was not sent, or null */
async function send(run: Run, backup: string): Promise<ReleaseError | null> {
  try {
    await sendBackup(await repositoryOf(run.ws, run.engine), backup, { paths: run.ws.paths, signal: run.stopped, say: (line) => run.say(line) });
    return null;
  } catch (error) {
    if (error instanceof ReleaseError) return error;
    throw error;
  }
}

function requestFor({ stack, stackFile }: Workspace, present: ReleaseRecord): ReturnType<typeof backupRequest> {
  const release = { tag: present.tag, commit: present.commit, revision: present.revision };
  const { settings } = present;
  const backup = {
    kind: "pre-rollback" as const,
    of: release,
    before: release,
    skipReason: "",
    settings,
    storage: present.storage,
    qdrantImage: settings.qdrant.image,
    scratch: { cpus: settings.backup.scratchCpus, memory: settings.backup.scratchMemory },
    deadlineMs: settings.backup.deadline,
    pause: quietly(quiesceIn(readFileSync(stackFile, "utf8"))),
  };
  return backupRequest({ stack, backup, serving: present }, settings, stackNames(stack, settings.volumes));
}

/** As the operator wants it today, whatever the present release was backed up with. */
function quiesceIn(text: string): "none" | "pause" {
  const backup = configValue(text, "backup");
  return isObject(backup) && backup["quiesce"] === "pause" ? "pause" : "none";
}
