import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { EXIT, fail, refuse } from "./errors.js";
import { pulumiHome, type Backend } from "./state/backend.js";
import { readText, writeWhole } from "./state/files.js";
import { omit } from "./values.js";

/** What `Pulumi.yaml` says, as far as it is used. */
export interface Project {
  name: string;
  /** Where `Pulumi.yaml` is. */
  root: string;
  /** Where the program is run: the root, or the directory of `main`. */
  programDirectory: string;
  /** The program as handed to the runner: `.` lets it look into package.json. */
  entry: string;
  typescript: boolean;
}

const KNOWN = new Set(["name", "description", "runtime", "main", "author", "website", "license", "tags"]);

/** Finds the project of a directory, in it or above. */
export async function loadProject(start: string): Promise<Project> {
  const file = findUp(resolve(start));
  if (file === undefined) {
    fail("no Pulumi.yaml project file found (searching upwards from the current directory)", EXIT.usage);
  }
  const { parse } = await import("yaml");
  const content = parse(readText(file) ?? "") as Record<string, unknown>;
  for (const key of Object.keys(content)) if (!KNOWN.has(key)) refuse(`'${key}' in Pulumi.yaml`);
  const { name, runtime, main } = content;
  if (typeof name !== "string") fail("Pulumi.yaml has no 'name'");
  const root = dirname(file);
  return { name, root, ...entry(root, typeof main === "string" ? main : undefined), typescript: typescript(runtime) };
}

function entry(root: string, main: string | undefined): { programDirectory: string; entry: string } {
  if (main === undefined) return { programDirectory: root, entry: "." };
  const path = resolve(root, main);
  if (/\.[cm]?[jt]s$/.test(main)) return { programDirectory: dirname(path), entry: path };
  return { programDirectory: path, entry: "." };
}

function typescript(runtime: unknown): boolean {
  if (runtime === "nodejs") return true;
  const { name, options } = (runtime ?? {}) as { name?: unknown; options?: Record<string, unknown> };
  if (name !== "nodejs") refuse(`the runtime '${String(name ?? runtime)}' (only nodejs)`);
  for (const key of Object.keys(options ?? {})) {
    if (key !== "typescript" && key !== "packagemanager") refuse(`the runtime option '${key}'`);
  }
  return options?.typescript !== false;
}

function findUp(directory: string): string | undefined {
  const file = join(directory, "Pulumi.yaml");
  if (existsSync(file)) return file;
  return dirname(directory) === directory ? undefined : findUp(dirname(directory));
}

/** The file that remembers which stack is selected; shared with the real command. */
function workspaceFile(project: Project): string {
  const hash = createHash("sha1").update(join(project.root, "Pulumi.yaml")).digest("hex");
  return join(pulumiHome(), "workspaces", `${project.name}-${hash}-workspace.json`);
}

/** The selected stack, if any. */
export function selectedStack(project: Project, backend: Backend): string | undefined {
  const text = readText(workspaceFile(project));
  if (text === undefined) return undefined;
  const content = JSON.parse(text) as { stack?: string; stacks?: Record<string, string> };
  return content.stacks?.[backend.url] ?? content.stack;
}

/** Remembers the selected stack; undefined forgets it. */
export function selectStack(project: Project, backend: Backend, stack: string | undefined): void {
  const file = workspaceFile(project);
  const text = readText(file);
  const content = text === undefined ? {} : (JSON.parse(text) as { stacks?: Record<string, string> });
  const others = omit(content.stacks ?? {}, backend.url);
  const stacks = stack === undefined ? others : { ...others, [backend.url]: stack };
  writeWhole(file, JSON.stringify({ ...content, stacks }, null, 4));
}
