import { readable, readableLine } from "../../components/runtime/readable.js";

/**
 * Whoever reads a command's output may stop (`| head`, a terminal that went away), and a disk that it goes to may be full: that is no
 * reason to leave a release half done. What cannot be written is left out; the run's log has all of it.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
}

/** Prints lines, or a text as it is. No control character reaches the terminal. */
export function print(text: string | readonly string[]): void {
  process.stdout.write(shown(text));
}

/** The same on standard error. */
export function printError(text: string | readonly string[]): void {
  process.stderr.write(shown(text));
}

/** Prints a value as JSON, in which control characters are escaped. */
export function printJson(value: unknown): void {
  print(`${JSON.stringify(value, null, 2)}\n`);
}

function shown(text: string | readonly string[]): string {
  return typeof text === "string" ? readable(text) : text.map((line) => `${readableLine(line)}\n`).join("");
}
