import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { dockerAnswers, gone } from "./docker.js";
import { LoopDisk } from "./loop.js";
import { mustRun, run, start, type Running } from "./processes.js";
import { waitFor } from "./wait.js";

/** A day: the tests end it. */
const LIFE_MS = 86_400_000;

/**
 * A Docker daemon that a test may kill, with its data on a disk that a test may fill. As on a host, containerd is a service of its own
 * and outlives it. Its networks and packet filter are those of the process that starts it, which should be alone in a network
 * namespace: two daemons in one would undo each other's rules.
 */
export class OwnDocker {
  private daemon: Running | null = null;
  private readonly containerd: Running;

  private constructor(private readonly directory: string, readonly disk: LoopDisk) {
    const config = this.file("containerd.toml");
    writeFileSync(config, 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n');
    this.containerd = this.spawn("containerd", [
      "--config", config, "--address", this.file("containerd.sock"), "--root", path.join(disk.directory, "containerd"), "--state", this.file("containerd"),
    ]);
  }

  /** @param bytes of its disk @returns null where no file system can be mounted */
  static async start(bytes: number): Promise<OwnDocker | null> {
    const disk = await LoopDisk.mount(bytes);
    if (disk === null) return null;
    const own = new OwnDocker(mkdtempSync(path.join(tmpdir(), "own-docker-")), disk);
    await own.launch();
    return own;
  }

  /** As DOCKER_HOST takes it. */
  get host(): string {
    return `unix://${this.file("docker.sock")}`;
  }

  /** Starts the daemon where it does not run, also after {@link kill}. */
  async launch(): Promise<void> {
    if (this.daemon !== null) return;
    const daemon = this.spawn("dockerd", [
      "--host", this.host, "--data-root", path.join(this.disk.directory, "docker"), "--exec-root", this.file("exec"), "--pidfile", this.file("docker.pid"),
      "--containerd", this.file("containerd.sock"),
    ]);
    const gone = daemon.ended.then(() => true);
    const client = new Docker({ socketPath: this.file("docker.sock") });
    const seen = await waitFor("the daemon", async () => (await dockerAnswers(client)) ? "answers" : (await Promise.race([gone, delay(100, false)])) && "ended", { withinMs: 120_000 });
    if (seen === "ended") throw new Error(`the daemon ended:\n${readFileSync(this.file("dockerd.log"), "utf8").slice(-2000)}`);
    this.daemon = daemon;
  }

  /** SIGKILL to the daemon alone. */
  async kill(): Promise<void> {
    this.daemon?.signal("SIGKILL");
    await this.daemon?.ended;
    this.daemon = null;
  }

  /** Gives it images of the machine's own daemon. */
  async load(images: readonly string[], from = "unix:///var/run/docker.sock"): Promise<void> {
    await mustRun("sh", ["-c", `docker -H "$0" save "$@" | docker -H ${this.host} load`, from, ...images], { cwd: this.directory });
  }

  async dispose(): Promise<void> {
    try {
      await this.launch();
      const client = new Docker({ socketPath: this.file("docker.sock") });
      const containers = await client.listContainers({ all: true });
      await Promise.all(containers.map(({ Id }) => gone(client.getContainer(Id).remove({ force: true, v: true }))));
    } finally {
      await this.end();
    }
  }

  /** Whatever is left in it: a daemon that stays keeps the process that started it, too. */
  private async end(): Promise<void> {
    for (const one of [this.daemon, this.containerd]) {
      one?.signal("SIGTERM");
      await one?.ended;
    }
    // What a daemon that was killed had mounted, nobody unmounts.
    await run("sh", ["-c", "umount -l exec/netns/*"], { cwd: this.directory });
    await this.disk.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private file(name: string): string {
    return path.join(this.directory, name);
  }

  /** Its output goes into a file: what it starts writes there as well, and would die of a pipe that nobody reads any more. */
  private spawn(program: string, args: readonly string[]): Running {
    return start("sh", ["-c", `exec "$0" "$@" >>${this.file(`${program}.log`)} 2>&1`, program, ...args], { cwd: this.directory, timeoutMs: LIFE_MS });
  }
}
