/**
 * The program's own last resort. Pulumi's SDK (3.270.0) formats an error that nobody caught with Node's `util.inspect`, which for one that holds
 * much (a client, a response, a container's whole state) takes minutes or never comes back: the update then hangs, and shows nothing.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "./model.js";
import { readable } from "../runtime/readable.js";

/** Pulumi takes it to mean that the error was shown already. */
const SHOWN = 32;
/** Characters of a stack trace: the rest says nothing to anybody. */
const MOST = 8_000;

/** What an error says, whatever was thrown: looking at it never throws and never takes long. Pure. */
export function wordsOf(thrown: unknown): { message: string; stack: string } {
  const message = textOf(thrown, "message");
  const stack = textOf(thrown, "stack");
  const name = textOf(thrown, "name");
  if (message !== "" || stack !== "") return { message: cut(message === "" ? (name === "" ? "an error without a word" : name) : message), stack: cut(stack) };
  const isPlain = typeof thrown === "string" || typeof thrown === "number" || typeof thrown === "boolean" || thrown === undefined;
  return { message: isPlain ? cut(String(thrown)) : "something that is no error was thrown", stack: "" };
}

function textOf(thrown: unknown, key: "message" | "stack" | "name"): string {
  if (typeof thrown !== "object" || thrown === null) return "";
  try {
    const value: unknown = Reflect.get(thrown, key);
    return typeof value === "string" ? value : "";
  } catch {
    // A getter of somebody else's.
    return "";
  }
}

const cut = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST)} …` : text);

/** As a refusal tells it. Pure. */
export function problemOfThrown(thrown: unknown): Problem {
  return { subject: "the program", what: `failed by a fault of its own: ${wordsOf(thrown).message}`, next: "report it with the stack trace that is shown above" };
}

/**
 * From now on whatever nobody catches (in what is computed from outputs, in a timer) is shown once, in the SDK's stead. What the engine has
 * begun goes on to its end, and then the process ends with 32.
 *
 * @param tell told of each, once
 */
export function catchUncaught(tell: (problem: Problem) => void): void {
  const told = new Set<unknown>();
  const onUncaught = (thrown: unknown): void => {
    process.exitCode = SHOWN;
    if (told.has(thrown)) return;
    told.add(thrown);
    const problem = problemOfThrown(thrown);
    const { stack } = wordsOf(thrown);
    // Not waited for: the process lives on while the SDK has anything under way.
    pulumi.log.error(`${stack === "" ? "" : `${stack}\n`}${problem.subject} ${problem.what}. Next: ${problem.next}`).catch(() => process.stderr.write(readable(`${problem.what}\n`)));
    try {
      tell(problem);
    } catch {
      // The journal cannot be written: the engine has the words.
    }
  };
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    // The SDK's, which would format it as well.
    process.removeAllListeners(event);
    process.on(event, onUncaught);
  }
}

/** Shows the trace of an error that ended the program before its first resource. @returns the refusal that it is told as */
export function showThrown(thrown: unknown): Problem {
  const { stack } = wordsOf(thrown);
  if (stack !== "") process.stderr.write(readable(`${stack}\n`));
  return problemOfThrown(thrown);
}
