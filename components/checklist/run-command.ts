import { runBounded } from "../runtime/bounded-command.js";
import { type Command, commandFor, type Looked } from "./commands.js";
import { type Answer, fail, pass, type Tree, unknown } from "./model.js";

/** Lines of a command's output that are shown. */
const SHOWN = 12;

export interface Ended {
  /** Null: it could not be started, or did not end in time. */
  exitCode: number | null;
  stdout: string;
  /** Last lines of all that it said. */
  lines: string[];
  /** Why there is no exit code. */
  why: string;
}

/** Runs a command of a tree to its end: without secrets of ours in its environment, and with all that it started when its time is over. */
export async function runCommand([file, ...args]: readonly [string, ...string[]], cwd: string, deadlineMs: number): Promise<Ended> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(?:PULUMI|PBJRAG)_|TOKEN|SECRET|PASSWORD|PASSPHRASE/i.test(name)));
  const { result, late } = await runBounded(file, args, { cwd, env: { ...env, CI: "true" }, stdin: "ignore", all: true, maxBuffer: 16 * 1024 * 1024 }, deadlineMs);
  const lines = (result.all ?? "").trimEnd().split("\n").slice(-SHOWN);
  const why = late ? `it did not end within ${deadlineMs / 1000} s` : (result.exitCode === undefined ? (result.code ?? result.signal ?? "it was ended") : "");
  return { exitCode: late ? null : (result.exitCode ?? null), stdout: result.stdout, lines, why };
}

/** Runs what the tree, or the operator, has for it. @param limits `deadline` in milliseconds, for each command */
export async function checkByCommand(looked: Looked, tree: Tree, limits: { deadline: number; command: string | undefined }): Promise<Answer> {
  const command = commandFor(looked, tree, limits.command);
  if (command === null) return unknown(`the tree has no ${looked === "tests" ? "tests" : `way to look at ${looked}`} that is known here; pbjrag:checklist.${looked} can name a command`);
  return answerOf(command, tree, limits.deadline);
}

async function answerOf({ argv, first }: Command, { root }: Tree, deadline: number): Promise<Answer> {
  for (const one of first) {
    const { exitCode, lines } = await runCommand(one, root, deadline);
    if (exitCode !== 0) return unknown(`${one.join(" ")} does not work here`, lines);
  }
  const shown = argv.join(" ");
  const { exitCode, lines, why } = await runCommand(argv, root, deadline);
  if (exitCode === 0) return pass(shown);
  return exitCode === null && why === "ENOENT" ? unknown(`${shown} cannot be run here`) : fail(`${shown} ended with ${exitCode ?? why}`, lines);
}
