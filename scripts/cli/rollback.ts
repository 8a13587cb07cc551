import { errors, EXIT, ReleaseError } from "../../components/runtime/errors.js";
import type { LiveTraffic } from "../../components/traffic/live.js";
import { tagProblem } from "../../components/source/names.js";
import type { BackupChoice } from "./backup-flags.js";
import { assertOperatorConfig } from "./check-config.js";
import { asked, asks } from "./confirm.js";
import { endLeftovers } from "./leftovers.js";
import type { Outcome } from "./outcome.js";
import { failureOutcome, Run } from "./run.js";
import { moveWarm } from "./warm.js";
import type { Workspace } from "./workspace.js";

export interface RollbackOptions extends BackupChoice {
  /** Tag, or a tag on a commit that was released; the release before the present one when absent. */
  tag?: string;
  dryRun: boolean;
  yes: boolean;
  waitMs: number;
  /** Nobody asked for it but the watch. */
  watch?: WatchCause;
}

/** Why a watch goes back. */
export interface WatchCause {
  /** The release that is left: another one that serves meanwhile stays. */
  revision: string;
  tag: string;
  /** The rule that was met, and what was seen, in words. */
  rule: string;
  what: string;
  /** ISO 8601: from when on that was so. */
  since: string;
}

/**
 * Goes back to a release of this stack: its image, its recorded settings, today's secrets.
 * @param look at the front door, begun beforehand
 */
export async function rollback(ws: Workspace, options: RollbackOptions, look: Promise<LiveTraffic | null> | null): Promise<Outcome> {
  const problem = options.tag === undefined ? null : tagProblem(options.tag);
  if (problem !== null) throw errors.usage({ why: `no release has such a name: it ${problem}`, next: "scripts/status.sh lists the releases" });
  assertOperatorConfig(ws);
  if (options.dryRun) return (await import("./agree.js")).rollbackDryRun(ws, options);
  // A watch may have looked on for an hour before.
  const began = options.watch === undefined ? {} : { began: Date.now() };
  return Run.conduct(ws, { command: "rollback", waitMs: options.waitMs, ...began }, (run) => goBack(run, options, look));
}

/**
 * While the target is warm, the route moves first and everything else makes the state agree with it; else the target
 * is backed up for, started and gated like any release.
 */
async function goBack(run: Run, options: RollbackOptions, look: Promise<LiveTraffic | null> | null): Promise<Outcome> {
  if (asks(run, options.yes) && !(await asked(run, await questionOf(run, options.tag, look)))) {
    return { exitCode: EXIT.refused, summary: "not confirmed", next: "" };
  }
  await endLeftovers(run);
  if (options.watch !== undefined) await leaveFor(run, options.watch);
  const moved = await moveWarm(run, options.tag, look);
  // Loaded when users have been moved: it takes as long as the move itself.
  const { makeStateAgree, unrecorded } = await import("./agree.js");
  try {
    return await makeStateAgree(run, options, moved);
  } catch (error) {
    if (moved === null) throw error;
    return unrecorded(moved, failureOutcome(error).summary);
  }
}

/** Where to, how, and what changes: read before anybody is asked. What cannot be read is left out of the words. */
async function questionOf({ ws }: Run, tag: string | undefined, look: Promise<LiveTraffic | null> | null): Promise<string> {
  const { rollbackQuestion } = await import("./rollback-question.js");
  const { lookAtPresent } = await import("./present.js");
  const [live, ledger] = await Promise.all([look, lookAtPresent(ws).then((present) => present.ledger, () => [])]);
  return rollbackQuestion({ stack: ws.stack, tag, table: live?.table ?? null, ledger });
}

/** Looked at under the lock: nobody moves traffic meanwhile. The receipt finds the cause in the journal. */
async function leaveFor({ ws, journal }: Run, { revision, tag, rule, what, since }: WatchCause): Promise<void> {
  const { readLive } = await import("../../components/traffic/live.js");
  const serving = (await readLive(ws.stack))?.table.serving?.revision;
  if (serving !== revision) {
    throw new ReleaseError({ code: "otherServes", exitCode: EXIT.busy, what: "Another release was quicker, nothing was touched", why: `${serving ?? "nothing"} serves now, not ${revision}`, next: "see scripts/status.sh" });
  }
  journal.write({ phase: "watch", event: "info", message: `the watch of ${tag} saw: ${what}`, data: { rule, since } });
}
