import { spawn } from "node:child_process";
import { constants, setPriority } from "node:os";

/** Whoever serves goes first, for processor and disk; children inherit it. Where the system refuses, it goes without. */
export function standBack(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not permitted: then at full weight.
  }
  spawn("ionice", ["-c", "2", "-n", "7", "-p", String(process.pid)], { stdio: "ignore" }).on("error", () => undefined);
}
