import { EXIT } from "../../components/runtime/errors.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { rememberBackend } from "./backend.js";
import type { Outcome } from "./outcome.js";
import { unsentOf } from "./unsent.js";
import { readPresent, type Present } from "./present.js";
import { recordRelease } from "./record-version.js";
import { imageWords } from "./releases.js";
import { failureOutcome, type Run } from "./run.js";
import { keepStateCopy } from "./state-copy.js";
import { verifyPatiently } from "./verify.js";

/** What came of an update that succeeded. */
export interface Finished {
  outcome: Outcome;
  /** The state after it; null where it could not be read. */
  present: Present | null;
}

/** After a successful update: what is released is written down, and what serves is looked at. Whatever fails in that, the release is done. */
export async function finished(run: Run): Promise<Finished> {
  let present: Present | null = null;
  try {
    const outcome = await run.during("verify", async () => {
      present = await readPresent(run.engine, run.ws);
      return writeAndLook(run, present);
    });
    return { outcome, present };
  } catch (error) {
    const { summary } = failureOutcome(error);
    const outcome = { exitCode: EXIT.unverified, summary: `the update succeeded, but what came of it could not be seen: ${summary}`, next: "see scripts/status.sh when the cause is gone" };
    return { outcome, present };
  }
}

async function writeAndLook(run: Run, after: Present): Promise<Outcome> {
  const record = after.ledger.at(-1);
  if (record === undefined) return { exitCode: EXIT.unverified, summary: "the update recorded no release", next: "see the log" };
  writeDown(run, after, record);
  const verdict = await verifyPatiently(run.ws, record);
  if (!verdict.healthy) {
    return { exitCode: EXIT.unverified, summary: `${record.tag} was released, but ${verdict.reason}`, next: "see scripts/status.sh; scripts/rollback.sh goes back" };
  }
  const summary = `${record.tag} serves at ${verdict.url}${backupWords(record)}${imageWords(after.ledger)}`;
  const unsent = unsentOf(run.events());
  return unsent === null ? { exitCode: EXIT.done, summary, next: "" } : { exitCode: EXIT.unverified, summary: `${summary}, which is on this machine alone: ${unsent.problem}`, next: unsent.next };
}

/** A copy of the state, and the version in the stack's file. Repeating it changes nothing. */
export function writeDown(run: Run, present: Present, record: ReleaseRecord): void {
  keepStateCopy(run.ws, record.seq, present.exported);
  rememberBackend(run.ws);
  recordRelease(run, record);
}

function backupWords(record: { backup: string; noBackupReason: string }): string {
  return record.backup === "" ? `, no backup: ${record.noBackupReason}` : `, backup ${record.backup}`;
}
