import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fail } from "../errors.js";
import type { Project } from "../project.js";
import type { StackName } from "../state/backend.js";

/** The exit code with which the program says that it has reported its error itself. */
const ALREADY_REPORTED = 32;

/** See lazy-modules.ts. */
export const LAZY = require.resolve("../lazy-modules.js");

/** What a program is started with. */
export interface ProgramOptions {
  project: Project;
  stack: StackName;
  preview: boolean;
  /** Where the monitor and the engine service listen. */
  address: string;
  /** The config, as environment variables. */
  environment: Record<string, string>;
  /** Where what it prints goes. */
  print: (line: string) => void;
}

/** The user's program, run by Pulumi's own runner. */
export class Program {
  private readonly child: ChildProcess;
  /** Why it failed; undefined when it ended well or has said why itself. Rejects when it cannot be started. */
  readonly ended: Promise<{ ok: boolean; reason?: string }>;

  constructor(options: ProgramOptions) {
    const { project, stack, address } = options;
    this.child = spawn(process.execPath, ["--require", LAZY, runner(project), ...flags(options), project.entry], {
      cwd: project.programDirectory,
      env: {
        ...process.env,
        ...options.environment,
        PULUMI_NODEJS_TYPESCRIPT: String(project.typescript),
        PULUMI_NODEJS_ENGINE: address,
        PULUMI_NODEJS_MONITOR: address,
        PULUMI_NODEJS_STACK: stack.stack,
      },
      stdio: ["ignore", "pipe", "pipe"],
      // Its own process group: Ctrl-C is for the engine, which ends the program in good order.
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on("line", options.print);
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => resolve(verdict(code, signal)));
    });
  }

  /** Ends it, by force if it does not go. */
  async kill(): Promise<void> {
    this.child.kill("SIGTERM");
    const force = setTimeout(() => this.child.kill("SIGKILL"), 1000);
    await this.ended.catch(() => undefined);
    clearTimeout(force);
  }
}

function runner(project: Project): string {
  try {
    return require.resolve("@pulumi/pulumi/cmd/run", { paths: [project.root] });
  } catch {
    return fail("It looks like the Pulumi SDK has not been installed. Have you run `pulumi install`?");
  }
}

function flags({ project, stack, preview, address }: ProgramOptions): string[] {
  return [
    `--monitor=${address}`,
    `--engine=${address}`,
    `--organization=organization`,
    `--project=${project.name}`,
    `--stack=${stack.stack}`,
    `--root-directory=${project.root}`,
    `--pwd=${project.programDirectory}`,
    "--parallel=16",
    ...(preview ? ["--dry-run"] : []),
  ];
}

function verdict(code: number | null, signal: string | null): { ok: boolean; reason?: string } {
  if (code === 0) return { ok: true };
  if (code === ALREADY_REPORTED) return { ok: false };
  return { ok: false, reason: `Program ${signal === null ? `exited with non-zero exit code: ${code}` : `was ended by ${signal}`}` };
}
