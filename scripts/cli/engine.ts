import { existsSync } from "node:fs";
import path from "node:path";
import type { ResultPromise } from "execa";
import { ReleaseError } from "../../components/runtime/errors.js";
import { watch, type EngineSink, type Watched } from "./engine-watch.js";
import { readLocalState } from "./local-state.js";
import { passphraseFailure } from "./passphrase.js";
import { stateLost } from "./state-copy.js";
import type { Workspace } from "./workspace.js";

/** A finished `pulumi` command. */
export interface EngineResult {
  exitCode: number;
  output: string;
  errors: string;
  /** What Pulumi called an error, of a command that was shown. */
  problems: readonly string[];
  /** The signal that ended it at once, or null: what it had begun then may still go on. */
  killedBy: string | null;
}

/** What a stack's state holds, as far as recovery and rollback need it. */
export interface StackState {
  outputs: Record<string, unknown>;
  /** Docker's IDs, or names, of what the state knows. */
  ids: Set<string>;
  pendingOperations: number;
  resources: number;
  /** As Pulumi exports it; secrets in it are encrypted. */
  exported: string;
}

/** Of a stack that the backend does not know. */
export const NO_STATE: StackState = { outputs: {}, ids: new Set(), pendingOperations: 0, resources: 0, exported: "" };

/** What `pulumi config --json` says of a key. */
export interface ShownValue {
  value?: unknown;
  objectValue?: unknown;
}

interface Deployment {
  resources?: { type: string; id?: string; outputs?: Record<string, unknown> }[];
  pending_operations?: unknown[];
}

/**
 * Runs `pulumi` for one stack. The child is in a process group of its own: a Ctrl-C in the terminal reaches the CLI
 * alone, which passes it on once, so that Pulumi ends after its current step and not at once.
 */
export class Engine {
  private child: { process: ResultPromise; stoppable: boolean } | undefined;

  constructor(
    private readonly ws: Workspace,
    private readonly runEnv: Record<string, string>,
    private readonly sink: EngineSink | null,
  ) {}

  /**
   * Lets the running command, if any, end after its current step.
   * @param always also one that only reads, or puts things right: that is soon over, and what comes next needs it whole
   */
  interrupt(always: boolean): void {
    if (this.child !== undefined && (always || this.child.stoppable)) this.child.process.kill("SIGINT");
  }

  /** Runs and shows the output, condensed, as it comes. */
  async show(mode: "preview" | "update", args: string[], { stoppable = true } = {}): Promise<EngineResult> {
    return this.run(args, { shown: mode, stoppable });
  }

  /** Runs silently. */
  async quiet(args: string[]): Promise<EngineResult> {
    return this.run(args, { shown: null, stoppable: false });
  }

  /**
   * Why a command that is no update failed: what is known to stop every command (a damaged state, another passphrase) is looked for;
   * else Pulumi's own words are the reason.
   */
  async failure(command: string, result: EngineResult): Promise<ReleaseError> {
    const local = readLocalState(this.ws);
    if (local?.denied === true) return notAllowed(local.file);
    if (local !== null && local.problem !== "") return stateLost(this.ws, `${local.file}: ${local.problem}`);
    return (await passphraseFailure(this.ws)) ?? inItsWords(command, result);
  }

  private async run(args: string[], { shown, stoppable }: { shown: "preview" | "update" | null; stoppable: boolean }): Promise<EngineResult> {
    // Loaded when it is first needed: a warm rollback moves its users before.
    const { execa } = await import("execa");
    const child = execa(pulumiBinary(this.ws.projectDir), args, {
      cwd: this.ws.projectDir,
      env: { ...this.ws.env, ...this.runEnv },
      detached: true,
      cleanup: false,
      stdin: "ignore",
      reject: false,
      maxBuffer: 64 * 1024 * 1024,
    });
    this.child = { process: child, stoppable };
    const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const watched: Watched | null = shown === null || this.sink === null ? null : watch(streams, shown, this.sink);
    const result = await child;
    this.child = undefined;
    await watched?.end();
    if (result.code === "ENOENT") {
      throw new ReleaseError({
        code: "pulumiMissing", exitCode: 2, what: "there is no pulumi command",
        why: "it is neither on PATH nor made by the set-up", next: "run scripts/setup.sh",
      });
    }
    return { exitCode: result.exitCode ?? 1, output: result.stdout, errors: result.stderr, problems: watched?.problems ?? [], killedBy: result.signal ?? null };
  }

  /** Whether the backend knows the stack. @throws ReleaseError `pulumiFailed`, `stateLost`, `passphraseWrong` */
  async hasStack(): Promise<boolean> {
    // A state that is there and whole answers it: nearly every command asks, and Pulumi takes a second to say the same.
    if (readLocalState(this.ws)?.problem === "") return true;
    const found = await this.quiet(["stack", "ls", "--json"]);
    if (found.exitCode !== 0) throw await this.failure("stack ls", found);
    const stacks = JSON.parse(found.output) as { name: string }[];
    return stacks.some((s) => s.name === this.ws.stack || s.name.endsWith(`/${this.ws.stack}`));
  }

  /** The stack's config, secrets in it. @throws as {@link hasStack} */
  async shownConfig(): Promise<Record<string, ShownValue>> {
    const shown = await this.quiet(["config", "--json", "--show-secrets", "--stack", this.ws.stack]);
    if (shown.exitCode !== 0) throw await this.failure("config", shown);
    return JSON.parse(shown.output) as Record<string, ShownValue>;
  }

  /** Makes the stack, with nothing in it. @throws as {@link hasStack} */
  async initStack(): Promise<void> {
    const made = await this.quiet(["stack", "init", this.ws.stack, "--non-interactive"]);
    if (made.exitCode !== 0) throw await this.failure("stack init", made);
  }

  /** Removes a stack that has nothing in it; its config file stays. @throws as {@link hasStack} */
  async removeStack(): Promise<void> {
    const removed = await this.quiet(["stack", "rm", this.ws.stack, "--yes", "--preserve-config", "--non-interactive"]);
    if (removed.exitCode !== 0) throw await this.failure("stack rm", removed);
  }

  /** Makes sure that the backend knows the stack. @throws as {@link hasStack} */
  async ensureStack(): Promise<void> {
    if (!(await this.hasStack())) await this.initStack();
  }

  /** Puts a state in the place of the one that the backend has. @param file as `stack export` writes it. @throws ReleaseError `pulumiFailed`, `stateLost` */
  async importState(file: string): Promise<void> {
    const imported = await this.quiet(["stack", "import", "--file", file, "--stack", this.ws.stack, "--non-interactive"]);
    if (imported.exitCode !== 0) throw await this.failure("stack import", imported);
  }

  /** Reads the whole state once. @throws ReleaseError `pulumiFailed`, `stateLost` */
  async state(): Promise<StackState> {
    const result = await this.quiet(["stack", "export", "--stack", this.ws.stack]);
    if (result.exitCode !== 0) throw await this.failure("stack export", result);
    const deployment = (JSON.parse(result.output) as { deployment?: Deployment }).deployment ?? {};
    const resources = deployment.resources ?? [];
    return {
      outputs: resources.find((r) => r.type === "pulumi:pulumi:Stack")?.outputs ?? {},
      ids: new Set(resources.flatMap((r) => (r.type.startsWith("docker:") && r.id !== undefined ? [r.id] : []))),
      pendingOperations: deployment.pending_operations?.length ?? 0,
      resources: resources.length,
      exported: result.output,
    };
  }
}

/** The stand-in's wrapper goes first: the set-up makes it only where the real one is not to be had or not wanted. */
export function pulumiBinary(projectDir: string): string {
  const standIn = path.join(projectDir, ".release/bin/pulumi");
  return process.env["PULUMI_BIN"] ?? (existsSync(standIn) ? standIn : "pulumi");
}

function notAllowed(file: string): ReleaseError {
  return new ReleaseError({
    code: "stateUnreadable", exitCode: 2, what: "Pulumi's state cannot be read, nothing was touched", why: `this user may not read ${file}`,
    next: "run again as the user who releases, or let both use one Pulumi backend (PULUMI_BACKEND_URL)",
  });
}

/** A failed engine command that is no update, in its own words. */
function inItsWords(command: string, result: EngineResult): ReleaseError {
  const words = result.problems.length > 0 ? result.problems.join("\n") : `${result.errors}\n${result.output}`.trim().split("\n").slice(-6).join("\n");
  return new ReleaseError({
    code: "pulumiFailed", exitCode: 2, what: `pulumi ${command} failed`, why: words || `exit code ${result.exitCode}`,
    next: "mend what it names and run again; nothing was changed",
  });
}
