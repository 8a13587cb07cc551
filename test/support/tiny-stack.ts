import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { usersOf } from "../../components/backup/volumes.js";
import { stackNames, type StackNames } from "../../components/release/names.js";
import { execIn } from "../../components/runtime/docker-exec.js";
import { hostPort } from "../../components/runtime/docker.js";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { describeLock } from "../../components/runtime/lock.js";
import { stream, type Stream } from "../e2e/traffic/client.js";
import { Repository } from "../source/repository.js";
import { keptFor } from "./docker.js";
import type { Ended, RunOptions, Running } from "./processes.js";
import { createProject, type Project, type ProjectOptions } from "./project.js";
import { type Dump, TestQdrant } from "./qdrant.js";
import { TINY_APP } from "./tiny-app.js";
import { waitFor } from "./wait.js";

/** Requests a second that look whether somebody answers. */
const PROBES = 20;
/** Pulumi's own, of which nobody can tell whose they were when it is killed. */
export const OF_PULUMI = /^pulumi-node-pipes\d+(?:\/|$)/;
/** Limits of the app, and what the gate asks of it. */
export const TINY = { replicas: 1, cpus: 0.5, memory: "64MiB", health: { path: "/health", script: "" } };
/** Small limits, and a gate that does not dwell: a deploy of it takes a few seconds. */
const SMALL = {
  app: TINY,
  qdrant: { cpus: 1, memory: "256MiB" },
  backup: { scratchCpus: 1, scratchMemory: "256MiB" },
  gate: { passes: 2, interval: "100ms", deadline: "30s", requestTimeout: "5s" },
  drain: { deadline: "1s", onRollback: "0ms" },
  docker: { cpuOvercommit: 100 },
};

/** All that the users' data is. */
export interface Data {
  readonly points: Dump;
  /** Path and SHA-256 of each upload. */
  readonly uploads: string;
}

/** What a failed release must leave as it was. */
export interface Before {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly backups: readonly string[];
  readonly data: Data;
}

/**
 * A stack that releases a small web server instead of a Streamlit app, through the same scripts: its image builds in a second. Users'
 * data is a collection with an alias and a file; `probing` asks for it all the time.
 */
export class TinyStack {
  readonly source = new Repository();
  readonly names: StackNames;
  /** Temporary files of the scripts are the test's own, so that what they leave is seen. */
  readonly temporary: string;
  private probes: Stream | null = null;

  private constructor(readonly project: Project, temporary: string) {
    this.names = stackNames(project.stack);
    this.temporary = temporary;
  }

  static async open(what: string, options: ProjectOptions = {}): Promise<TinyStack> {
    const temporary = mkdtempSync(path.join(tmpdir(), "tiny-stack-"));
    const project = await createProject(what, { ...options, config: { ...SMALL, ...options.config }, env: { TMPDIR: temporary, ...options.env } });
    const tiny = new TinyStack(project, temporary);
    await tiny.configure({});
    return tiny;
  }

  /** Writes the stack's config anew, with these keys instead of the first ones. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void> {
    return this.project.configure({ source: this.source.dir, ...config });
  }

  /** Commits and tags an app (a Python program) that answers with the tag's name. `dockerfile` is put before its start, `command` in its stead. */
  commit(tag: string, { app = TINY_APP, dockerfile = [], command = ["python3", "/app/app.py"] }: { app?: string; dockerfile?: readonly string[]; command?: readonly string[] } = {}): void {
    this.source.write("app.py", app);
    this.source.write("Dockerfile", [
      "FROM python:3.11-slim", `ENV NAME=${tag} PORT=8501`, "RUN mkdir -p /app/uploads", "COPY app.py /app/", "STOPSIGNAL SIGKILL", ...dockerfile,
      // Docker's cache would give two stacks one and the same image.
      `LABEL stack=${this.project.stack}`, `CMD ${JSON.stringify(command)}`, "",
    ].join("\n"));
    this.source.release(tag);
  }

  deploy(tag: string, args: readonly string[] = [], options: Partial<RunOptions> = {}): Promise<Ended> {
    return this.project.script("deploy", ["--version", tag, ...args], options);
  }

  /** Starts a deploy and waits until its journal tells of a moment. Throws if it ends before. */
  async deployUntil(tag: string, moment: (event: JournalEvent) => boolean, options: Partial<RunOptions> = {}, args: readonly string[] = []): Promise<Running> {
    const seen = this.project.journal().length;
    const running = this.project.startScript("deploy", ["--version", tag, ...args], options);
    let over = false;
    void running.ended.then(() => { over = true; });
    await waitFor("the moment", () => over || this.project.journal().slice(seen).some(moment), { withinMs: 240_000, everyMs: 10 });
    if (over) throw new Error(`the moment never came:\n${running.output()}`);
    return running;
  }

  /** Releases a tag that must be released. */
  async released(tag: string, args: readonly string[] = []): Promise<Ended> {
    const ended = await this.deploy(tag, args);
    assert.equal(ended.exitCode, 0, ended.all);
    assert.match(ended.lastLine, new RegExp(`^DONE \\(exit 0\\): ${tag} (serves|runs already)`));
    return ended;
  }

  /** @param generation of the data */
  async qdrant(generation = "0"): Promise<TestQdrant> {
    const port = await waitFor("Qdrant's port", () => hostPort(this.names.qdrantContainer(generation), 6333));
    const qdrant = new TestQdrant(`http://127.0.0.1:${port}`, "");
    await waitFor("Qdrant to answer", () => qdrant.ready());
    return qdrant;
  }

  /** Points and a file, as users leave them. */
  async fill(): Promise<void> {
    const qdrant = await this.qdrant();
    await qdrant.create("code", { size: 4, distance: "Dot" });
    await qdrant.upsert("code", Array.from({ length: 50 }, (_, id) => ({ id, vector: [id, 1, 0, -id], payload: { file: `${id}.py` } })));
    await qdrant.alias("current", "code");
    await this.inApp("mkdir -p /app/uploads/d && head -c 100000 /dev/urandom > /app/uploads/d/file");
  }

  /** All data of a generation, by its Qdrant and a container that has its uploads: both must run. */
  async data(generation = "0"): Promise<Data> {
    return { points: await (await this.qdrant(generation)).dump(), uploads: await this.inApp("cd /app/uploads && find . -type f -exec sha256sum {} + | sort", generation) };
  }

  /** Runs a shell in a container of the app, of whichever release has the uploads of this generation. */
  async inApp(script: string, generation = "0", { timeoutMs = 30_000 } = {}): Promise<string> {
    const users = await usersOf(this.names.uploadsVolume(generation));
    const app = users.find(({ Labels, State }) => Labels["pbjrag.role"] === "app" && State === "running")?.Id;
    assert.ok(app !== undefined, `no app runs on the uploads of generation ${generation}`);
    const { exitCode, stdout, stderr } = await execIn(app, ["sh", "-ec", script], { timeoutMs });
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }

  /** Names in the stack's directory of backups, whatever they are. */
  backups(): string[] {
    const directory = this.project.paths.backups;
    return existsSync(directory) ? readdirSync(directory).sort() : [];
  }

  async look(): Promise<Before> {
    const { containers, volumes, networks } = await keptFor(this.project.stack);
    return { containers, volumes, networks, backups: this.backups(), data: await this.data() };
  }

  /** Everything is as it was, but for finished backups; nothing half done is anywhere. */
  async assertAsBefore(before: Before): Promise<void> {
    const now = await this.look();
    assert.deepEqual({ ...now, backups: [] }, { ...before, backups: [] });
    this.assertNoRemains();
  }

  assertNoRemains(): void {
    assert.deepEqual(this.backups().filter((name) => !/^pre-(deploy|rollback)-\d{8}-\d{6}(-\d+)?$/.test(name)), []);
    assert.deepEqual(readdirSync(this.temporary).filter((name) => !OF_PULUMI.test(name)), []);
    assert.notEqual(describeLock(this.project.paths)?.state, "alive", "the lock is held");
  }

  /** Asks the front door all the time from now on, until {@link answered}. An upload that its app dies of is lost, a page load is not. */
  startProbes({ uploads = true } = {}): void {
    void this.probes?.stop();
    this.probes = stream(this.project.url, PROBES, uploads);
  }

  /** Stops asking. Every request was answered, and by none but these releases. */
  async answered(...by: string[]): Promise<void> {
    assert.ok(this.probes !== null, "nothing was asked");
    const { probes } = this;
    this.probes = null;
    await waitFor("a first answer", () => probes.took.length > 0);
    await probes.stop();
    assert.deepEqual(probes.failures, []);
    assert.deepEqual([...probes.by].sort(), [...by].sort());
  }

  async remove(): Promise<void> {
    await this.probes?.stop();
    await this.project.remove();
    this.source.remove();
    rmSync(this.temporary, { recursive: true, force: true });
  }
}
