import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { readEvents, type JournalEvent } from "../../components/runtime/journal.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { encryptionSalt } from "../../scripts/cli/stack-file.js";
import { removeStack } from "./docker.js";
import { engine, engineEnv } from "./engine.js";
import { freePort, stackName } from "./names.js";
import { mustRun, run, start, type Ended, type RunOptions, type Running } from "./processes.js";

/** The checkout whose tests these are. */
export const ROOT = resolve(__dirname, "../../..");

/**
 * What makes Streamlit light enough for two cores to carry the load as well: without these each run of the script looks through all modules
 * for changed files and collects garbage (100 ms of CPU for a script health check and 39 ms for a rerun; with them 8 ms each).
 */
export const LIGHT_APP = { STREAMLIT_SERVER_FILE_WATCHER_TYPE: "none", STREAMLIT_RUNNER_POST_SCRIPT_GC: "false" } as const;

/** A fresh clone with a stack of its own; everything it makes is in its directory or carries its stack's label. */
export interface Project {
  readonly dir: string;
  readonly stack: string;
  readonly port: number;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly paths: DataPaths;
  /** Runs `scripts/<name>.sh` with this stack to its end. */
  script(name: string, args?: readonly string[], options?: Partial<RunOptions>): Promise<Ended>;
  /** The same, left running: for signals and kills. */
  startScript(name: string, args?: readonly string[], options?: Partial<RunOptions>): Running;
  /** `pulumi` with the scripts' backend and passphrase. */
  pulumi(args: readonly string[], options?: Partial<RunOptions>): Promise<Ended>;
  /** The run journal, oldest first; of one run if it is named. */
  journal(run?: string): JournalEvent[];
  /** Writes the stack's config file anew: `config` replaces keys of the first one. What Pulumi encrypts with stays. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Removes the directory and everything in Docker that carries the stack's label. */
  remove(): Promise<void>;
  /** Removes the directory alone: of another clone for a stack that exists. */
  forget(): Promise<void>;
}

/** Users come over loopback, where Docker hides them from the proxy: as behind a proxy of this host's, they say who they are. */
const DOCKER_NETWORKS = ["172.16.0.0/12", "192.168.0.0/16"];

export interface ProjectOptions {
  /** Keys of the stack's config without the namespace: `{source, app: {...}}`. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly engine?: "stand-in" | "real";
  /** Another clone for a stack that exists. */
  readonly stack?: string;
  readonly port?: number;
}

/**
 * Clones HEAD and makes it ready: node_modules and the node that the set-up brought are shared, `dist/`, the set-up's findings and the sample app are copied, so that no script
 * has anything to set up. The stack is a `dev` one of small sizes on a free port of 127.0.0.1.
 */
export async function createProject(what: string, options: ProjectOptions = {}): Promise<Project> {
  const stack = options.stack ?? stackName(what);
  const port = options.port ?? await freePort();
  const dir = await mkdtemp(join(tmpdir(), `pbjrag-${what}-`));
  await clone(dir);
  // A login of whoever runs the tests is not theirs.
  const env = { PULUMI_CONFIG_PASSPHRASE: "for tests only", PULUMI_CREDENTIALS_PATH: join(dir, ".release", "test-login"), ...engineEnv(dir, options.engine ?? engine), ...options.env };
  const configure = (config: Readonly<Record<string, unknown>>): Promise<void> => {
    const keys = { source: ".release/sample-app", environment: "dev", proxy: { port, trusted: DOCKER_NETWORKS }, app: { env: LIGHT_APP }, ...options.config, ...config };
    const named = Object.fromEntries(Object.entries(keys).map(([key, value]) => [`pbjrag:${key}`, value]));
    const file = join(dir, `Pulumi.${stack}.yaml`);
    const salt = existsSync(file) ? encryptionSalt(readFileSync(file, "utf8")) : null;
    return writeFile(file, stringify({ ...(salt === null ? {} : { encryptionsalt: salt }), config: named }));
  };
  await configure({});
  const startScript = (name: string, args: readonly string[] = [], more: Partial<RunOptions> = {}): Running =>
    start(join(dir, "scripts", `${name}.sh`), [...args, "--stack", stack], { cwd: dir, timeoutMs: 600_000, ...more, env: { ...env, ...more.env } });
  const paths = dataPaths(".", stack, dir);
  const forget = (): Promise<void> => rm(dir, { recursive: true, force: true });
  return {
    dir, stack, port, url: `http://127.0.0.1:${port}`, env, paths, configure, startScript,
    script: (name, args, more) => startScript(name, args, more).ended,
    pulumi: (args, more = {}) => run(join(dir, "scripts", "pulumi.sh"), ["--stack", stack, ...args], { cwd: dir, ...more, env: { ...env, ...more.env } }),
    journal: (runId) => readEvents(paths, runId),
    remove: async () => {
      await removeStack(stack);
      await forget();
    },
    forget,
  };
}

async function clone(dir: string): Promise<void> {
  await mustRun("git", ["clone", "--quiet", "--no-hardlinks", ROOT, dir], { cwd: ROOT });
  symlinkSync(join(ROOT, "node_modules"), join(dir, "node_modules"));
  for (const made of ["dist", ".release/setup", ".release/bin", ".release/sample-app"]) {
    if (existsSync(join(ROOT, made))) await cp(join(ROOT, made), join(dir, made), { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  }
  await mkdir(join(dir, ".release"), { recursive: true });
  const node = join(ROOT, ".release/node");
  if (existsSync(node)) symlinkSync(node, join(dir, ".release/node"));
  // The set-up compares times: a lock file newer than node_modules would make it install into the shared directory.
  const installed = join(ROOT, "node_modules", ".package-lock.json");
  // Times of files are finer than the milliseconds here, which are rounded up as well.
  const before = new Date((await stat(installed)).mtimeMs - 1000);
  await utimes(join(dir, "package-lock.json"), before, before);
  const stamp = join(dir, ".release", "setup", "stamp");
  const now = new Date();
  if (existsSync(stamp)) await utimes(stamp, now, now);
}
