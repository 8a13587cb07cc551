/** A stack with a real proxy, made from the Proxy component's own arguments, and tiny apps behind it. */
import * as pulumi from "@pulumi/pulumi";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "../../components/runtime/docker.js";
import { labels, type Role } from "../../components/runtime/labels.js";
import { stackNames } from "../../components/release/names.js";
import { type Applied, applyTable, prepareFront } from "../../components/traffic/live.js";
import { emptyTable, type TrafficRevision, type TrafficTable } from "../../components/traffic/model.js";
import { removeStack } from "./docker.js";
import { freePort, stackName } from "./names.js";
import { TINY_APP } from "./tiny-app.js";
import { waitFor } from "./wait.js";

/** What the component gives to the Docker provider, as far as a container is made of it here. */
interface ContainerArgs {
  name: string;
  image: string;
  command: string[];
  envs: string[];
  ports: { internal: number; external: number; ip: string }[];
  volumes: { volumeName: string; containerPath: string }[];
  labels: { label: string; value: string }[];
  cpuPeriod: number;
  cpuQuota: number;
  memory: number;
  memorySwap: number;
  restart: string;
  logOpts: Record<string, string>;
  securityOpts: string[];
  capabilities: { drops: string[] };
  networksAdvanced: { name: string }[];
}

export interface ProxySettings {
  image: string;
  bind: string;
  port: number;
  cpus: number;
  memory: number;
}

/** The arguments of the proxy's container, from the component itself. */
export async function proxyArgs(stack: string, settings: ProxySettings): Promise<{ args: ContainerArgs; all: { type: string; name: string }[]; url: string }> {
  const seen: pulumi.runtime.MockResourceArgs[] = [];
  await pulumi.runtime.setMocks({
    newResource: (resource) => {
      seen.push(resource);
      return { id: resource.name, state: resource.inputs as Record<string, unknown> };
    },
    call: () => ({}),
  });
  const { Proxy } = await import("../../components/traffic/proxy.js");
  const names = stackNames(stack);
  const proxy = new Proxy("proxy", { stack, names, settings, network: names.network });
  const url = await new Promise<string>((resolve) => proxy.url.apply(resolve));
  await new Promise<void>((resolve) => proxy.container.urn.apply(() => resolve()));
  const container = seen.find(({ type }) => type === "docker:index/container:Container");
  if (container === undefined) throw new Error("the component made no container");
  return { args: container.inputs as ContainerArgs, all: seen.map(({ type, name }) => ({ type, name })), url };
}

/** Of a run that nobody else disturbs. */
export const HOLDS = { assertHolds: () => undefined };

export class ProxyStack {
  readonly stack = stackName("traffic");
  readonly names = stackNames(this.stack);
  readonly port: number;
  readonly url: string;
  /** Journal and lock of the handlers under test. */
  readonly dataDir: string;
  private seq = 0;
  private moves = 0;

  private constructor(port: number, dataDir: string) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.dataDir = dataDir;
  }

  static async open(limits: { cpus: number } = { cpus: 0.5 }): Promise<ProxyStack> {
    const made = new ProxyStack(await freePort(), await mkdtemp(join(tmpdir(), "pbjrag-traffic-")));
    const { stack, names } = made;
    await docker().createNetwork({ Name: names.network, Labels: labels({ stack, role: "data" }) });
    await docker().createVolume({ Name: names.proxyVolume, Labels: labels({ stack, role: "proxy" }) });
    const settings = { image: process.env["PBJRAG_TEST_PROXY_IMAGE"] ?? "haproxy:2.6-bookworm", bind: "127.0.0.1", port: made.port, memory: 256 * 1024 * 1024, ...limits };
    const { args } = await proxyArgs(stack, settings);
    const port = args.ports[0];
    const volume = args.volumes[0];
    if (port === undefined || volume === undefined) throw new Error("the component's container has no port or no volume");
    const container = await docker().createContainer({
      name: args.name,
      Image: args.image,
      Cmd: args.command,
      Env: args.envs,
      Labels: Object.fromEntries(args.labels.map(({ label, value }) => [label, value])),
      ExposedPorts: { [`${port.internal}/tcp`]: {} },
      HostConfig: {
        PortBindings: { [`${port.internal}/tcp`]: [{ HostIp: port.ip, HostPort: String(port.external) }] },
        Binds: [`${volume.volumeName}:${volume.containerPath}`],
        CpuPeriod: args.cpuPeriod,
        CpuQuota: args.cpuQuota,
        Memory: args.memory * 1024 * 1024,
        MemorySwap: args.memorySwap * 1024 * 1024,
        NetworkMode: args.networksAdvanced[0]?.name ?? "none",
        SecurityOpt: args.securityOpts,
        CapDrop: args.capabilities.drops,
        LogConfig: { Type: "json-file", Config: args.logOpts },
        RestartPolicy: { Name: args.restart },
      },
    });
    await container.start();
    return made;
  }

  /** With its front door prepared, and two releases that nobody is sent to yet. */
  static async withTwo(): Promise<{ bench: ProxyStack; v2: TrafficRevision; v3: TrafficRevision }> {
    const bench = await ProxyStack.open();
    await prepareFront(bench.stack, HOLDS);
    const [v2, v3] = await Promise.all([bench.start("v2.9.0"), bench.start("v3.0.0")]);
    return { bench, v2, v3 };
  }

  /** Starts the containers of a revision; they answer when this returns. */
  async start(tag: string, replicas = 2, port = 8501, env: readonly string[] = [], healthPath = "/_stcore/health"): Promise<TrafficRevision> {
    const revision = `${tag}-${"0".repeat(7)}${++this.seq}`;
    const containers = Array.from({ length: replicas }, (_, at) => this.names.appContainer(revision, at + 1));
    await Promise.all(containers.map((name) => this.run(name, "app", port, revision, env)));
    return { revision, tag, containers, port, healthPath };
  }

  private async run(name: string, role: Role, port: number, revision: string, env: readonly string[]): Promise<void> {
    const container = await docker().createContainer({
      name,
      Image: "python:3.11-slim",
      Cmd: ["python3", "-c", TINY_APP],
      Env: [`NAME=${name}`, `PORT=${port}`, ...env],
      Labels: labels({ stack: this.stack, role, revision }),
      HostConfig: { NetworkMode: this.names.network, Init: true },
    });
    await container.start();
    const { NetworkSettings } = await container.inspect();
    const ip = NetworkSettings.Networks[this.names.network]?.IPAddress ?? "";
    await waitFor(`${name} to answer`, async () => (await fetch(`http://${ip}:${port}/`)).ok, { everyMs: 20 });
  }

  table(parts: Partial<TrafficTable>): TrafficTable {
    return { ...emptyTable(this.stack), ...parts };
  }

  /** The same as the next in its order. */
  next(parts: Partial<TrafficTable>): TrafficTable {
    return this.table({ ...parts, seq: ++this.moves });
  }

  apply(parts: Partial<TrafficTable>): Promise<Applied> {
    return applyTable(this.stack, this.next(parts), HOLDS);
  }

  async close(): Promise<void> {
    await removeStack(this.stack);
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
