import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fail, refuse } from "../errors.js";
import { asText, changedKeys, isObject, UNKNOWN, type Props } from "../values.js";
import type { Call, Diff, Found, Made, Provider } from "./provider.js";

const ARGUMENTS = new Set([
  "create",
  "update",
  "delete",
  "triggers",
  "environment",
  "dir",
  "interpreter",
  "addPreviousOutputInEnv",
  "logging",
  "stdin",
]);

/** What a command has printed. */
interface Printed {
  stdout: string;
  stderr: string;
}

/** `command.local.Command`, as version 1.2.1 of the real provider does it. */
export class CommandProvider implements Provider {
  /** @param directory where commands run that name no directory */
  constructor(private readonly directory: string) {}

  check(call: Call, _olds: Props | undefined, news: Props): Promise<Props> {
    if (call.type !== "command:local:Command") refuse(`resources of type ${call.type}`);
    for (const key of Object.keys(news)) if (!ARGUMENTS.has(key)) refuse(`the argument '${key}' of command.local.Command`);
    return Promise.resolve(news);
  }

  diff(_call: Call, _id: string, oldInputs: Props, _outputs: Props, news: Props, ignored: string[]): Promise<Diff> {
    const keys = changedKeys(oldInputs, news).filter((key) => !ignored.includes(key));
    const replaceKeys = keys.filter((key) => key === "triggers");
    return Promise.resolve({ changed: keys.length > 0, keys, replaceKeys, deleteBeforeReplace: false });
  }

  async create(call: Call, news: Props): Promise<Made> {
    const id = `${call.name}${randomBytes(4).toString("hex")}`;
    const printed = await this.run(call, news.create, news, { stdout: "", stderr: "" });
    return { id, outputs: { ...news, ...printed } };
  }

  previewOutputs(_call: Call, news: Props, olds: Props | undefined): Props {
    // What an update prints is not known before it has run; the real provider says so as well.
    return olds === undefined ? news : { ...news, stdout: UNKNOWN, stderr: UNKNOWN };
  }

  async update(call: Call, _id: string, _oldInputs: Props, oldOutputs: Props, news: Props): Promise<Props> {
    const printed = await this.run(call, news.update ?? news.create, news, printedBefore(oldOutputs));
    return { ...news, ...printed };
  }

  async delete(call: Call, _id: string, _oldInputs: Props, oldOutputs: Props): Promise<void> {
    await this.run(call, oldOutputs.delete, oldOutputs, printedBefore(oldOutputs));
  }

  read(_call: Call, id: string, inputs: Props, outputs: Props): Promise<Found> {
    return Promise.resolve({ id, inputs, outputs });
  }

  private async run(call: Call, command: Props[string] | undefined, inputs: Props, before: Printed): Promise<Printed> {
    if (typeof command !== "string") return before;
    const interpreter = Array.isArray(inputs.interpreter) && inputs.interpreter.length > 0 ? inputs.interpreter : ["/bin/sh", "-c"];
    const [program = "/bin/sh", ...args] = interpreter.map(asText);
    const child = spawn(program, [...args, command], {
      cwd: typeof inputs.dir === "string" ? resolve(this.directory, inputs.dir) : this.directory,
      env: { ...process.env, ...environment(inputs, before) },
      stdio: ["pipe", "pipe", "pipe"],
      // Its own process group: Ctrl-C ends the update after this step, not this step.
      detached: true,
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
    const { logging } = inputs;
    const shown = (stream: string): boolean => logging === undefined || logging === stream || logging === "stdoutAndStderr";
    const all: string[] = [];
    const stdout = collect(child.stdout, all, shown("stdout") ? call : undefined);
    const stderr = collect(child.stderr, all, shown("stderr") ? call : undefined);
    const problem = await ended(child);
    const printed = { stdout: await stdout, stderr: await stderr };
    if (problem !== undefined) fail(`${problem}: running ${JSON.stringify(command)}:\n${all.join("")}`);
    return { stdout: printed.stdout.replace(/\n$/, ""), stderr: printed.stderr.replace(/\n$/, "") };
  }
}

function printedBefore(outputs: Props): Printed {
  return { stdout: asText(outputs.stdout), stderr: asText(outputs.stderr) };
}

function environment(inputs: Props, before: Printed): Record<string, string> {
  const wanted = isObject(inputs.environment) ? inputs.environment : {};
  const given = Object.fromEntries(Object.entries(wanted).map(([key, value]) => [key, asText(value)]));
  if (inputs.addPreviousOutputInEnv === false) return given;
  return {
    ...given,
    ...(before.stdout === "" ? {} : { PULUMI_COMMAND_STDOUT: before.stdout }),
    ...(before.stderr === "" ? {} : { PULUMI_COMMAND_STDERR: before.stderr }),
  };
}

function ended(child: ChildProcess): Promise<string | undefined> {
  return new Promise((settle) => {
    child.on("error", (error) => settle(error.message));
    child.on("close", (code, signal) => {
      settle(code === 0 ? undefined : signal === null ? `exit status ${code}` : `signal: ${signal}`);
    });
  });
}

async function collect(stream: Readable, all: string[], call: Call | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  if (call !== undefined) createInterface({ input: stream }).on("line", (line) => call.report("status", line));
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    all.push(chunk.toString());
  });
  await new Promise((closed) => stream.on("close", closed));
  return Buffer.concat(chunks).toString();
}
