import { createInterface } from "node:readline/promises";
import type { Run } from "./run.js";

/**
 * Asks before a stack that others use is changed. Nobody is asked on `dev`, with `--yes`, or where there is no
 * terminal: a job that cannot answer must not hang.
 */
export async function confirmed(run: Run, yes: boolean, question: string): Promise<boolean> {
  if (yes || run.ws.stack === "dev" || !process.stdin.isTTY) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}
