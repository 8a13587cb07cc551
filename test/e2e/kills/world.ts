/** A stack that is killed at again and again, with users at its front door and data in its store. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describeLock } from "../../../components/runtime/lock.js";
import { readStat } from "../../../components/runtime/liveness.js";
import { keptFor } from "../../support/docker.js";
import { treeOf, withEnvironment, type Ended, type Running } from "../../support/processes.js";
import { type Data, OF_PULUMI, TinyStack } from "../../support/tiny-stack.js";
import { waitFor } from "../../support/wait.js";
import { ask, PAGE, stream, type Stream } from "../traffic/client.js";
import type { Moment } from "./moments.js";
import { readState } from "./state.js";

/** What is killed: the script with everything that it started, the process of the command line alone, or Pulumi's alone. */
export type Victim = "tree" | "CLI" | "engine";
export const VICTIMS: readonly Victim[] = ["tree", "CLI", "engine"];

/** Requests per second: every gap of a kill, a recovery or a switch shows, and two cores have room for the rest. */
const RATE = 20;
const REPLICAS = 2;

export interface Struck {
  ended: Ended;
  /** False: the run was over before the moment came. */
  hit: boolean;
}

export class KillWorld {
  private users: Stream | null = null;
  private data: Data | null = null;
  private releases = 0;

  private constructor(readonly stack: TinyStack) {}

  /** A stack without any release. */
  static async open(what: string): Promise<KillWorld> {
    const app = { replicas: REPLICAS, cpus: 0.5, memory: "64MiB", health: { path: "/health", script: "" } };
    return new KillWorld(await TinyStack.open(what, { config: { app } }));
  }

  /** Two releases, data in both stores, and users from now on. @returns milliseconds that the second release took */
  async populate(): Promise<number> {
    await this.stack.released(this.tag());
    await this.stack.fill();
    this.data = await this.stack.data();
    const { tookMs } = await this.stack.released(this.tag());
    this.welcome();
    return tookMs;
  }

  /** Users come from now on. */
  welcome(): void {
    this.users = stream(this.stack.project.url, RATE);
  }

  /** A new tag, newer than all before it. `broken`: its app ends at once. */
  tag({ broken = false } = {}): string {
    const tag = `v1.${++this.releases}.0`;
    this.stack.commit(tag, broken ? { command: ["sh", "-c", "echo broken on purpose; exit 7"] } : {});
    return tag;
  }

  start(command: "deploy" | "rollback", args: readonly string[] = []): Running {
    return this.stack.project.startScript(command, args);
  }

  startDeploy(tag: string): Running {
    return this.start("deploy", ["--version", tag]);
  }

  /**
   * Lets a run come to a moment, does something to it, and waits for its end.
   * @param begin starts the run: the watch must be on by then
   */
  async strike(begin: () => Running, tag: string, moment: Moment, blow: (running: Running) => void | Promise<void>): Promise<Struck> {
    const over = new AbortController();
    try {
      const { come } = await moment.watch(this.stack.project, tag, over.signal);
      const running = begin();
      const hit = await Promise.race([come.then(() => true), running.ended.then(() => false)]);
      if (hit) await blow(running);
      return { ended: await running.ended, hit };
    } finally {
      over.abort();
    }
  }

  kill(running: Running, victim: Victim): void | Promise<void> {
    if (victim === "tree") return running.killTree();
    if (victim === "CLI") return running.signal("SIGKILL");
    return killEngine(running);
  }

  /** The tag that a new user gets. */
  async serving(): Promise<string> {
    return (await ask(this.stack.project.url, { headers: PAGE })).by;
  }

  /** Throws unless everything is as after a run that nobody disturbed. */
  async verify(): Promise<void> {
    const { project, names } = this.stack;
    const preview = await project.pulumi(["preview", "--expect-no-changes", "--diff"]);
    assert.equal(preview.exitCode, 0, `the state does not agree:\n${preview.all}`);
    const state = readState(project) ?? assert.fail("no state");
    assert.deepEqual(state.pending, []);
    const kept = await keptFor(project.stack);
    assert.deepEqual(kept.containers, state.containers, "containers that no state knows, or that are gone");
    assert.deepEqual(kept.networks, [names.network]);
    assert.deepEqual(kept.volumes, [names.proxyVolume, names.qdrantVolume("0"), names.uploadsVolume("0")].sort());
    assert.deepEqual(this.leftovers(), []);
    assert.equal(describeLock(project.paths)?.state, "released");
    assert.deepEqual(withEnvironment("PBJRAG_DATA_DIR", project.paths.dataDir), [], "processes of a dead run");
    if (this.data !== null) {
      assert.deepEqual(await this.stack.data(), this.data, "the data has changed");
      assert.deepEqual(await (await this.stack.qdrant()).snapshots("code"), []);
    }
  }

  /** Files that a run makes for itself and that must not outlive it. */
  private leftovers(): string[] {
    const { dir, paths } = this.stack.project;
    const state = join(paths.state, ".pulumi");
    const below = (root: string): string[] => (existsSync(root) ? readdirSync(root, { recursive: true }).map((name) => join(root, String(name))) : []);
    const ours = [...below(state), ...below(paths.backups), ...below(paths.run), ...readdirSync(dir).map((name) => join(dir, name))];
    const temporary = /\.partial$|\.partial\/|\.swept-|\.new(?:$|-)|\.next$|\/config-/;
    const locks = below(join(state, "locks")).filter((file) => file.endsWith(".json"));
    return [...locks, ...ours.filter((file) => temporary.test(file)), ...below(this.stack.temporary).filter((file) => !OF_PULUMI.test(relative(this.stack.temporary, file)))];
  }

  /** The next command just works, and after it everything is as if nothing had happened. */
  async converge(tag: string, before: Ended): Promise<void> {
    const next = await this.stack.deploy(tag);
    assert.equal(next.exitCode, 0, `first:\n${before.all}\nthen:\n${next.all}`);
    assert.equal(await this.serving(), tag);
    await this.verify();
  }

  /** The same with a rollback as the next command, to whatever was good before. */
  async goBack(before: Ended): Promise<void> {
    const next = await this.start("rollback").ended;
    assert.equal(next.exitCode, 0, `first:\n${before.all}\nthen:\n${next.all}`);
    await this.verify();
  }

  /** Throws if a user was turned away since the last look, or nobody asked. */
  assertServed(): void {
    const { users } = this;
    assert.ok(users !== null && users.sent > 0);
    assert.deepEqual(users.failures.splice(0), []);
  }

  async close(): Promise<void> {
    await this.users?.stop();
    await this.stack.remove();
  }
}

/** Pulumi's process. Where none is running at the moment, the next one of the run. */
async function killEngine(running: Running): Promise<void> {
  let over = false;
  void running.ended.then(() => { over = true; });
  await waitFor("an engine to kill", () => {
    const engine = engineOf(running.pid);
    if (engine !== null) process.kill(engine, "SIGKILL");
    return engine !== null || over;
  }, { withinMs: 120_000, everyMs: 5 });
}

/** The command line's child that was given a run id: the command line itself has none. */
function engineOf(cli: number): number | null {
  const children = treeOf(cli).filter((pid) => readStat(pid)?.parent === cli);
  return children.find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "utf8").includes("PBJRAG_RUN=");
    } catch {
      return false;
    }
  }) ?? null;
}
