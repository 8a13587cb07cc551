import { existsSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { findState, readState, stackOf, stateNames } from "../../../components/runtime/state-file.js";
import { EXIT, fail, refuse } from "../errors.js";
import type { Checkpoint } from "./checkpoint.js";
import { moveBlob, readText, removeBlob, writeBlob, writeWhole } from "./files.js";

/** Names a stack within the backend. */
export interface StackName {
  project: string;
  stack: string;
}

/** A stack's name as the state has it; the file backend knows one organization only. */
export const qualified = (name: StackName): string => `organization/${name.project}/${name.stack}`;

/** Takes `dev`, `project/dev` or `organization/project/dev` apart. */
export function parseStackName(text: string, project: string): StackName {
  const parts = text.split("/");
  const stack = parts.at(-1) ?? "";
  if (parts.length === 3 && parts[0] !== "organization") fail("organization name must be 'organization'");
  if (parts.length > 3 || !/^[\w.-]{1,100}$/.test(stack)) {
    fail(`invalid stack name '${text}': use alphanumeric characters, hyphens, underscores and periods`);
  }
  if (parts.length === 3) return { project: parts[1] ?? project, stack };
  // With two parts the real one takes the first as the organization.
  if (parts.length === 2 && parts[0] !== "organization") fail("organization name must be 'organization'");
  return { project, stack };
}

/** Where the command keeps what belongs to the user and not to a backend. */
export function pulumiHome(): string {
  return process.env.PULUMI_HOME ?? join(homedir(), ".pulumi");
}

/** A backend in a directory, laid out as Pulumi's own file backend. */
export class Backend {
  private constructor(
    /** As in `PULUMI_BACKEND_URL`, made absolute. */
    readonly url: string,
    private readonly root: string,
  ) {}

  /** The backend that the environment, or else the last `login`, names. */
  static current(): Backend {
    const url = process.env.PULUMI_BACKEND_URL ?? loggedIn();
    if (url === undefined || url === "") {
      fail("no backend: set PULUMI_BACKEND_URL=file://<directory>, or run `pulumi login file://<directory>`", EXIT.usage);
    }
    return Backend.at(url);
  }

  /** The backend at a `file://` address. */
  static at(url: string): Backend {
    if (!url.startsWith("file://")) refuse(`the backend '${url}' (only file://)`);
    const path = url.slice("file://".length).split("?")[0] ?? "";
    const directory = resolve(path.replace(/^~(?=\/|$)/, homedir()));
    return new Backend(`file://${directory}`, join(directory, ".pulumi"));
  }

  /** Refuses a backend whose layout is newer or older than the one written here. */
  private check(): void {
    const meta = readText(join(this.root, "meta.yaml"));
    if (meta !== undefined && !/^version:\s*1\s*$/m.test(meta)) refuse(`a backend with this meta.yaml: ${meta.trim()}`);
  }

  /** A path below the backend's own directory. */
  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Where a state is written. */
  private file(name: StackName): string {
    return join(this.directory(name.project), `${name.stack}.json`);
  }

  /** In each form, the plain one first. */
  private files(name: StackName): string[] {
    return stateNames(name.stack).map((file) => join(this.directory(name.project), file));
  }

  private directory(project: string): string {
    return this.path("stacks", project);
  }

  /** The stacks of a project, by name. */
  list(project: string): string[] {
    const directory = this.directory(project);
    if (!existsSync(directory)) return [];
    return [...new Set(readdirSync(directory).flatMap((file) => stackOf(file) ?? []))].sort();
  }

  /** Whether a stack exists. */
  has(name: StackName): boolean {
    return findState(this.directory(name.project), name.stack) !== null;
  }

  /** A stack's state file. */
  read(name: StackName): Checkpoint {
    this.check();
    const file = findState(this.directory(name.project), name.stack);
    if (file === null) fail(`no stack named '${name.stack}' found`, EXIT.noStack);
    const checkpoint = JSON.parse(readState(file)) as Checkpoint;
    if (checkpoint.version !== 3) refuse(`state of version ${String(checkpoint.version)}`);
    return checkpoint;
  }

  /** Writes a stack's state file, never compressed, and keeps the one before as `.bak`. */
  write(name: StackName, checkpoint: Checkpoint): void {
    this.check();
    if (!existsSync(this.path("meta.yaml"))) writeBlob(this.path("meta.yaml"), "version: 1\n");
    writeBlob(this.file(name), JSON.stringify(checkpoint), { backup: true });
    for (const other of this.files(name).slice(1)) if (existsSync(other)) moveBlob(other, `${other}.bak`);
  }

  /** Removes a stack with its history. */
  remove(name: StackName): void {
    for (const file of this.files(name)) {
      removeBlob(file);
      removeBlob(`${file}.bak`);
    }
    rmSync(this.path("history", name.project, name.stack), { recursive: true, force: true });
  }
}

function credentialsFile(): string {
  return join(process.env.PULUMI_CREDENTIALS_PATH || pulumiHome(), "credentials.json");
}

function loggedIn(): string | undefined {
  const text = readText(credentialsFile());
  return text === undefined ? undefined : (JSON.parse(text) as { current?: string }).current;
}

/** Remembers a backend for later commands. */
export function logIn(url: string): void {
  const text = readText(credentialsFile());
  const known = text === undefined ? {} : (JSON.parse(text) as Record<string, unknown>);
  writeWhole(credentialsFile(), JSON.stringify({ ...known, current: url }, null, 4));
}
