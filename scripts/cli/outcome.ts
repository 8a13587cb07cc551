/** How a command ended, for its exit code and its last line. Pure: tested without Docker. */
export interface Outcome {
  exitCode: 0 | 2 | 3 | 4 | 5 | 6 | 130;
  /** What happened, in one sentence. */
  summary: string;
  /** What the operator does next; "" when nothing. */
  next: string;
  /** A release is tried still: none was made, and none failed. */
  held?: true;
  /** Evidence, shown above the last line. */
  lines?: readonly string[];
}

const words: Record<Outcome["exitCode"], string> = {
  0: "DONE",
  2: "REFUSED, nothing touched",
  3: "FAILED AND ROLLED BACK, the former release serves",
  4: "FAILED, NOT ROLLED BACK",
  5: "DONE, BUT UNVERIFIED OR UNHEALTHY",
  6: "ANOTHER RELEASE IS UNDER WAY",
  130: "INTERRUPTED",
};

/** An exit code in words. */
export const exitInWords = (code: Outcome["exitCode"]): string => words[code];

/** The last line that a command prints: the exit code in words. */
function lastLine(outcome: Outcome): string {
  const next = outcome.next === "" ? "" : ` Next: ${outcome.next}`;
  return `${exitInWords(outcome.exitCode)} (exit ${outcome.exitCode}): ${outcome.summary.replace(/\s*\n\s*/g, " ")}.${next}`;
}

/** What a command ends with: the evidence, then the last line. */
export function endLines(outcome: Outcome): string[] {
  return [...(outcome.lines ?? []).map((line) => `  | ${line}`), lastLine(outcome)];
}

export const exitCodeHelp = [
  "Exit codes:",
  "  0    done",
  "  2    refused, nothing touched",
  "  3    failed and rolled back, the former release serves",
  "  4    failed and not rolled back",
  "  5    done, but unverified or unhealthy",
  "  6    another release of this stack is under way",
  "  130  interrupted",
].join("\n");
