/** Output of a program, line by line. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/**
 * Hands on each line, the last one also when nothing ends it. Lines end at line feeds alone: what rewrites its line with carriage returns,
 * as a progress does, is one line.
 * @returns when the stream has ended or was closed
 */
export function onLines(input: Readable, take: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return new Promise((resolve) => {
    input.on("data", (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(take);
    });
    const end = (): void => {
      if (rest !== "") take(rest);
      rest = "";
      resolve();
    };
    input.once("end", end);
    input.once("close", end);
  });
}

/** How a line that was rewritten began, and what it said last. Pure. */
export function settled(line: string): string {
  const states = line.split("\r").filter((state) => state !== "");
  const [first = "", last] = [states[0], states.at(-1)];
  return states.length < 2 ? first : `${first} … ${last ?? ""}`;
}
