import { EXIT } from "../../components/runtime/errors.js";
import { openSessions } from "../../components/traffic/sessions.js";
import { assertOperatorConfig } from "./check-config.js";
import { finished } from "./finished.js";
import type { Outcome } from "./outcome.js";
import { recover } from "./recover.js";
import { Run } from "./run.js";
import { refuseWhileTried } from "./trial.js";
import { TempConfig } from "./temp-config.js";
import { update } from "./update.js";
import type { Workspace } from "./workspace.js";

export interface FinishOptions {
  waitMs: number;
}

/** Ends a release for good: waits for the sessions of the former one up to `drain.deadline`, then removes it. */
export async function finish(ws: Workspace, options: FinishOptions): Promise<Outcome> {
  const { drain } = assertOperatorConfig(ws);
  return Run.conduct(ws, { command: "finish", waitMs: options.waitMs }, async (run) => {
    const present = (await recover(run)).ledger;
    const record = present.at(-1);
    if (record !== undefined) await refuseWhileTried(ws.stack, record.tag);
    const former = present.findLast((r) => r.revision !== record?.revision);
    if (record === undefined || former === undefined || record.formerFinished) {
      return { exitCode: EXIT.done, summary: "there is no former release to finish", next: "" };
    }
    const open = await drained(run, former.revision, drain.deadline);
    run.checkpoint();
    const config = new TempConfig(ws, { version: record.tag, reapply: "true", finish: record.revision });
    try {
      const failure = await update(run, config);
      if (failure !== null) return { exitCode: EXIT.unverified, summary: `${former.tag} was not removed: ${failure.what}`, next: failure.next };
    } finally {
      config.remove();
    }
    const { outcome } = await finished(run);
    return { ...outcome, summary: `${former.tag} is removed (${sessionsIn(open)} still open on it); ${outcome.summary}` };
  });
}

function sessionsIn(open: number): string {
  return open === 0 ? "no session was" : open === 1 ? "1 session was" : `${open} sessions were`;
}

/** Waits until no session is open on a revision, or the deadline (milliseconds) has passed; returns how many were left. */
async function drained(run: Run, revision: string, deadlineMs: number): Promise<number> {
  const until = performance.now() + deadlineMs;
  let said = -1;
  for (;;) {
    const open = (await openSessions(run.ws.stack)).byRevision[revision] ?? 0;
    if (open === 0 || performance.now() >= until || run.interrupted) return open;
    if (open !== said) run.say(`waiting for ${open === 1 ? "1 session" : `${open} sessions`} on ${revision}, at most ${Math.ceil((until - performance.now()) / 1000)} s`);
    said = open;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
