/** Who answers SIGINT and SIGTERM. One place, so that from the first line of the program to its last none is unanswered. */
import { EXIT } from "../../components/runtime/errors.js";
import { endLines } from "./outcome.js";

type Answer = (signal: NodeJS.Signals) => void;

/** Before a command holds its lock, and for those that change nothing, there is nothing to put right. */
function end(): void {
  process.stdout.write(`${endLines({ exitCode: EXIT.interrupted, summary: "stopped before anything was changed", next: "run the same command again" }).join("\n")}\n`);
  process.exit(EXIT.interrupted);
}

let answer: Answer = end;

/** For the program's first line: from now on a signal ends it in words and with its own exit code. */
export function answerSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => answer(signal));
}

/** From now on this is the answer. */
export function onSignal(other: Answer): void {
  answer = other;
}
