import { CommanderError } from "commander";
import { errors, ReleaseError } from "../../components/runtime/errors.js";
import { ordered } from "./argv.js";
import { endLines } from "./outcome.js";
import { outliveOutput, printError } from "./output.js";
import { program } from "./program.js";
import { answerSignals } from "./signals.js";

/** Whatever a command throws ends in its exit code and one clear line. */
async function tell(thrown: unknown): Promise<void> {
  // Help and version are no failures.
  if (thrown instanceof CommanderError && (thrown.exitCode === 0 || thrown.code === "commander.help")) return;
  const error = thrown instanceof CommanderError ? notUnderstood(thrown) : thrown;
  const { failureOutcome } = await import("./run.js");
  if (!(error instanceof ReleaseError)) printError(`${error instanceof Error ? (error.stack ?? "") : String(error)}\n`);
  const outcome = failureOutcome(error);
  printError(endLines(outcome));
  process.exitCode = outcome.exitCode;
}

function notUnderstood(error: CommanderError): ReleaseError {
  return errors.usage({ why: error.message.replace(/^error: /, "").replace(/\.$/, ""), next: "see the script's --help" });
}

outliveOutput();
answerSignals();
program().parseAsync(ordered(process.argv.slice(2)), { from: "user" }).catch(tell);
