import type { Readable } from "node:stream";
import { createInterface } from "node:readline/promises";
import { readable } from "../../components/runtime/readable.js";
import { Interrupted, type Run } from "./run.js";

/**
 * Asks before a stack that others use is changed. Nobody is asked on `dev`, with `--yes`, or where there is no
 * terminal: a job that cannot answer must not hang.
 *
 * @throws Interrupted when the operator stops the command instead of answering
 */
export async function confirmed(run: Run, yes: boolean, question: string): Promise<boolean> {
  return asks(run, yes) ? asked(run, question) : true;
}

/** Whether somebody is asked. */
export function asks(run: Run, yes: boolean): boolean {
  return !yes && run.ws.stack !== "dev" && process.stdin.isTTY;
}

/** The same on every stack, for who has a terminal. The time that a person thinks is a step of its own. @throws Interrupted */
export function asked(run: Run, question: string): Promise<boolean> {
  return run.during("question", () => answerOf(`${question} [y/N] `, { input: process.stdin, output: process.stderr, stopped: run.stopped }));
}

interface Asking {
  input: Readable;
  output: NodeJS.WritableStream;
  /** Aborted by a signal to the process. */
  stopped: AbortSignal;
}

/** @returns whether it was a yes; the end of the input is none. @throws Interrupted for Ctrl-C and for a signal */
export async function answerOf(question: string, { input, output, stopped }: Asking): Promise<boolean> {
  const prompt = createInterface({ input, output, terminal: "isTTY" in input && input.isTTY === true });
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  // On a terminal in raw mode Ctrl-C is a key, and no signal.
  prompt.once("SIGINT", stop);
  stopped.addEventListener("abort", stop, { once: true });
  if (stopped.aborted) stop();
  try {
    const ended = new Promise<string>((resolve) => prompt.once("close", () => resolve("")));
    return /^y(es)?$/i.test((await Promise.race([prompt.question(readable(question), { signal: stopping.signal }), ended])).trim());
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    output.write("\n");
    throw new Interrupted();
  } finally {
    stopped.removeEventListener("abort", stop);
    prompt.close();
  }
}
