/** Who answers SIGINT and SIGTERM. One place, so that from the first line of the program to its last none is unanswered. */
import { EXIT } from "../../components/runtime/errors.js";
import { endLines } from "./outcome.js";
import { print } from "./output.js";

type Answer = (signal: NodeJS.Signals) => void;

/** An answer for when there is nothing to put right: it says so, and ends the process. */
export function endWith(summary: string, next: string): Answer {
  return () => {
    print(endLines({ exitCode: EXIT.interrupted, summary, next }));
    process.exit(EXIT.interrupted);
  };
}

/** Before a command holds its lock, and of those that change nothing. */
let answer: Answer = endWith("stopped before anything was changed", "run the same command again");

/** For the program's first line: from now on a signal ends it in words and with its own exit code. */
export function answerSignals(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => answer(signal));
}

/** From now on this is the answer. */
export function onSignal(other: Answer): void {
  answer = other;
}
