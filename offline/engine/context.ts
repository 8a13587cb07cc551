import { StackConfig } from "./config.js";
import { EXIT, fail } from "./errors.js";
import { loadProject, selectedStack, type Project } from "./project.js";
import { crypterOf } from "./secrets.js";
import { Backend, parseStackName, type StackName } from "./state/backend.js";
import { Codec, type Snapshot } from "./state/checkpoint.js";

/** Options that most commands share. */
export interface CommonOptions {
  cwd?: string;
  stack?: string;
  configFile?: string;
  color?: string;
  nonInteractive?: boolean;
}

/** The project and backend that a command works in. */
export interface Workspace {
  project: Project;
  backend: Backend;
}

/** Finds the project and the backend. */
export async function workspace(options: CommonOptions): Promise<Workspace> {
  return { project: await loadProject(options.cwd ?? process.cwd()), backend: Backend.current() };
}

/** The stack that is named, or else selected; it must exist. */
export function stackOf(options: CommonOptions, { project, backend }: Workspace): StackName {
  const text = options.stack ?? process.env.PULUMI_STACK ?? selectedStack(project, backend);
  if (text === undefined) fail("no stack selected; please use `pulumi stack select` or `pulumi stack init` to choose one", EXIT.usage);
  const name = parseStackName(text, project.name);
  if (!backend.has(name)) fail(`no stack named '${name.stack}' found`, EXIT.noStack);
  return name;
}

/** The config of a stack. */
export function configOf(options: CommonOptions, project: Project, name: StackName): Promise<StackConfig> {
  return StackConfig.open(project, name.stack, options.configFile);
}

/** A stack's state, decrypted; an empty one where there was no update yet. */
export async function snapshotOf(backend: Backend, name: StackName): Promise<Snapshot> {
  const { latest } = backend.read(name).checkpoint;
  const provider = latest?.secrets_providers;
  if (latest === undefined || provider === undefined) return { resources: latest?.resources ?? [], operations: [], salt: "" };
  if (provider.type !== "passphrase") fail(`the state's secrets provider '${provider.type}' is not supported offline`);
  return new Codec(await crypterOf(provider.state?.salt ?? "")).decode(latest);
}

/** Whether output is to be coloured. */
export function wantsColor(options: CommonOptions): boolean {
  if (options.color === "always") return true;
  if (options.color === "never" || options.color === "raw" || process.env.NO_COLOR !== undefined) return false;
  return process.stdout.isTTY;
}

/** The version that this stand-in says it has: that of the SDK it speaks for. */
export async function version(): Promise<string> {
  const { version: sdk } = await import("@pulumi/pulumi/version.js");
  return `v${sdk}`;
}
