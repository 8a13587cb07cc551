import { messageOf, ReleaseError } from "../runtime/errors.js";
import { standBack } from "../runtime/priority.js";
import { type Context, runTask } from "../runtime/task.js";
import { formatDuration } from "../settings/units.js";
import { mebibytes } from "../backup/space.js";
import { type SendOutcome, type SendRequest, sendRequestSchema } from "./model.js";
import { sendBackup } from "./send.js";

/**
 * The process that sends a backup off this machine. The backup is proven and here: that it could not be sent is told, by its outcome and
 * by who waits for it, and never ends a release. So its exit code is 0 then too.
 */
runTask<SendRequest, SendOutcome>({
  phase: "send",
  variable: "PBJRAG_SEND",
  request: sendRequestSchema,
  begins: ({ backup }) => (backup === "" ? "there is no backup to send" : `backup ${backup} leaves this machine`),
  about: ({ backup }) => ({ backup }),
  perform: send,
  ended: describe,
  stop: {
    late: (deadlineMs) => new Error(`it was not sent within ${formatDuration(deadlineMs)}`),
    by: (signal) => new Error(`it was stopped by ${signal}`),
    is: () => false,
  },
  failure: (error) => (error instanceof ReleaseError ? error : new ReleaseError({ code: "unexpected", exitCode: 4, what: "The backup was not sent", why: messageOf(error), next: "report it" })),
});

async function send({ backup }: SendRequest, context: Context): Promise<SendOutcome> {
  const unsent = (problem: string, next = ""): SendOutcome => ({ backup, sent: false, known: false, snapshot: "", added: 0, stored: true, tookMs: 0, problem, next });
  if (backup === "") return unsent("");
  standBack();
  const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  try {
    return await sendBackup(env, backup, context);
  } catch (error) {
    if (context.signal.aborted) return unsent(messageOf(context.signal.reason), `scripts/backups.sh send ${backup}`);
    return error instanceof ReleaseError ? unsent(error.why, error.next) : unsent(messageOf(error), `scripts/backups.sh send ${backup}`);
  }
}

function describe({ backup, sent, known, snapshot, added, stored, problem }: SendOutcome): string {
  if (backup === "") return "nothing was sent";
  if (!sent) return `backup ${backup} is on this machine alone: ${problem}`;
  return known ? `backup ${backup} was sent already (snapshot ${snapshot})` : `backup ${backup} is off this machine (snapshot ${snapshot}, ${mebibytes(added)} added${stored ? "" : ", before compression"})`;
}
