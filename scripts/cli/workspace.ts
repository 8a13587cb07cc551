import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import path from "node:path";
import { stackNameProblem } from "../../components/release/names.js";
import { dataDirProblem } from "../../components/runtime/data-dir.js";
import { errors, messageOf, ReleaseError } from "../../components/runtime/errors.js";
import { readPassphraseFile } from "../../components/runtime/passphrase-file.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { isLoggedIn } from "./login.js";
import { configValue, stackFileProblem, withConfig } from "./stack-file.js";

/** Where a command works: one stack of one checkout, its data directory and the environment Pulumi gets. */
export interface Workspace {
  projectDir: string;
  stack: string;
  /** Absolute path of the stack's own config file. */
  stackFile: string;
  paths: DataPaths;
  /** Backend and passphrase, on top of this process's environment. */
  env: Record<string, string>;
}

const sampleSource = ".release/sample-app";

/**
 * Opens a stack. `dev` needs nothing: its config file and passphrase are made when missing.
 *
 * @param use `read`: for a command that changes nothing, which a person without rights to write may give as well
 * @throws ReleaseError `usage`, `stackUnknown`, `dataDirUnusable`, `passphraseMissing`
 */
export function openWorkspace(projectDir: string, stack: string, use: "read" | "write" = "write"): Workspace {
  const name = stackNameProblem(stack);
  if (name !== null) throw errors.usage({ why: `${JSON.stringify(stack)} is no stack name: ${name}`, next: "choose another name with --stack" });
  const stackFile = path.join(projectDir, `Pulumi.${stack}.yaml`);
  if (!existsSync(stackFile)) {
    if (stack !== "dev") throw unknownStack(stack);
    writeFileSync(stackFile, devConfig(), { mode: 0o644 });
  }
  const text = readFileSync(stackFile, "utf8");
  const problem = stackFileProblem(text);
  if (problem !== null) throw errors.usage({ why: `${path.basename(stackFile)} cannot be read: ${problem}`, next: "correct the file, then run again" });
  const dataDir = configValue(text, "dataDir");
  const paths = dataPaths(typeof dataDir === "string" ? dataDir : ".", stack, projectDir);
  const unusable = use === "read" ? null : dataDirProblem(paths) ?? (stack === "dev" ? null : cleanedProblem(paths, process.env));
  if (unusable !== null) throw errors.dataDirUnusable({ dataDir: paths.dataDir, why: unusable });
  const make = (directory: string): void => makePrivate(directory, use);
  make(paths.run);
  return { projectDir, stack, stackFile, paths, env: pulumiEnv(stack, paths, make) };
}

/** Who only reads goes on without: there is nothing to read there then. */
function makePrivate(directory: string, use: "read" | "write"): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    if (use === "write") throw error;
  }
}

/** A CI job's checkout loses all that git does not know before the next job: backups, and the state. */
function cleanedProblem({ dataDir }: DataPaths, env: NodeJS.ProcessEnv): string | null {
  const checkout = env["GITHUB_ACTIONS"] === "true" ? env["GITHUB_WORKSPACE"] : undefined;
  if (checkout === undefined || checkout === "") return null;
  const below = path.relative(checkout, dataDir);
  return below === ".." || below.startsWith(`..${path.sep}`) || path.isAbsolute(below) ? null : "it lies in a CI job's checkout, which is cleaned before each job";
}

function unknownStack(stack: string): ReleaseError {
  return new ReleaseError({
    code: "stackUnknown", exitCode: 2, what: `there is no stack ${stack}`,
    why: `Pulumi.${stack}.yaml does not exist`,
    next: `copy Pulumi.staging.yaml to Pulumi.${stack}.yaml and set pbjrag:source in it, or use --stack dev`,
  });
}

/** The stack for this machine alone: git-ignored, with the sample app as its source until another is set. */
export function devConfig(): string {
  return withConfig("# Local stack, generated. Set pbjrag:source to release an app of your own.\n", { source: sampleSource });
}

/** A login or PULUMI_BACKEND_URL goes first; without either the state is a directory below dataDir. */
function pulumiEnv(stack: string, paths: DataPaths, make: (directory: string) => void): Record<string, string> {
  const env: Record<string, string> = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  if (!process.env["PULUMI_BACKEND_URL"] && !isLoggedIn(process.env)) {
    make(paths.state);
    env["PULUMI_BACKEND_URL"] = `file://${paths.state}`;
  }
  if (process.env["PULUMI_CONFIG_PASSPHRASE"] === undefined) {
    const file = process.env["PULUMI_CONFIG_PASSPHRASE_FILE"];
    if (file) assertReadable(stack, file);
    else if (stack === "dev") env["PULUMI_CONFIG_PASSPHRASE_FILE"] = devPassphraseFile(paths);
    else if (env["PULUMI_BACKEND_URL"]) throw errors.passphraseMissing({ stack, why: "no passphrase is set (only the stack dev gets a generated one)" });
  }
  return env;
}

function assertReadable(stack: string, file: string): void {
  try {
    readPassphraseFile(file);
  } catch (error) {
    throw errors.passphraseMissing({ stack, why: `PULUMI_CONFIG_PASSPHRASE_FILE names a file that cannot be read (${messageOf(error)})` });
  }
}

function devPassphraseFile(paths: DataPaths): string {
  const file = path.join(path.dirname(paths.state), "dev.passphrase");
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
  return file;
}
