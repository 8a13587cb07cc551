import type { ContainerCreateOptions, ContainerInspectInfo, HostConfig } from "dockerode";
import { messageOf } from "../../errors.js";
import { asText, type Props } from "../../values.js";
import { PartialFailure, type Found, type Made } from "../provider.js";
import type { Daemon } from "./client.js";
import { containerOutputs } from "./container-outputs.js";
import { flag, isMissing, labelMap, number, objects, text, textMap, texts } from "./read.js";

const MEBIBYTE = 1024 * 1024;

/** The request that makes a container, from its inputs. */
export function createOptions(inputs: Props): ContainerCreateOptions {
  const ports = objects(inputs, "ports").map((port) => ({
    key: `${number(port, "internal")}/${text(port, "protocol") ?? "tcp"}`,
    binding: { HostIp: text(port, "ip") ?? "", HostPort: String(number(port, "external") ?? "") },
  }));
  const keys = [...new Set(ports.map((port) => port.key))];
  const bound = (key: string) => ports.filter((port) => port.key === key).map((port) => port.binding);
  const stopTimeout = number(inputs, "stopTimeout");
  const options: ContainerCreateOptions = {
    name: text(inputs, "name"),
    Image: text(inputs, "image"),
    Hostname: text(inputs, "hostname"),
    User: text(inputs, "user"),
    WorkingDir: text(inputs, "workingDir"),
    StopSignal: text(inputs, "stopSignal"),
    Env: texts(inputs, "envs"),
    Labels: labelMap(inputs),
    ExposedPorts: Object.fromEntries(keys.map((key) => [key, {}])),
    Volumes: Object.fromEntries(objects(inputs, "volumes").map((each) => [asText(each.containerPath), {}])),
    HostConfig: { ...hostConfig(inputs), PortBindings: Object.fromEntries(keys.map((key) => [key, bound(key)])) },
  };
  if (stopTimeout !== undefined) options.StopTimeout = stopTimeout;
  if (inputs.command !== undefined) options.Cmd = texts(inputs, "command");
  if (inputs.entrypoints !== undefined) options.Entrypoint = texts(inputs, "entrypoints");
  return options;
}

function hostConfig(inputs: Props): HostConfig {
  const { adds, drops } = { adds: [], drops: [], ...(inputs.capabilities as Props | undefined) } as Props;
  const binds = objects(inputs, "volumes").flatMap((each) => {
    const source = text(each, "hostPath") ?? text(each, "volumeName");
    return source === undefined ? [] : [`${source}:${asText(each.containerPath)}:${flag(each, "readOnly") ? "ro" : "rw"}`];
  });
  const cpus = text(inputs, "cpus");
  const host: HostConfig = {
    Binds: binds,
    CapAdd: texts({ adds: adds ?? [] }, "adds"),
    CapDrop: texts({ drops: drops ?? [] }, "drops"),
    CpuPeriod: cpus === undefined ? number(inputs, "cpuPeriod") : undefined,
    CpuQuota: cpus === undefined ? number(inputs, "cpuQuota") : undefined,
    CpuShares: number(inputs, "cpuShares"),
    Init: flag(inputs, "init"),
    LogConfig: { Type: text(inputs, "logDriver") ?? "", Config: textMap(inputs, "logOpts") },
    Memory: (number(inputs, "memory") ?? 0) * MEBIBYTE,
    MemorySwap: swapBytes(inputs),
    NanoCpus: Math.round(Number(cpus ?? 0) * 1e9),
    NetworkMode: text(inputs, "networkMode"),
    ReadonlyRootfs: flag(inputs, "readOnly"),
    RestartPolicy: restartPolicy(inputs),
    Tmpfs: textMap(inputs, "tmpfs"),
  };
  // An empty list would switch off what the daemon adds by itself.
  if (inputs.securityOpts !== undefined) host.SecurityOpt = texts(inputs, "securityOpts");
  return host;
}

function swapBytes(inputs: Props): number {
  const swap = number(inputs, "memorySwap") ?? 0;
  return swap > 0 ? swap * MEBIBYTE : swap;
}

const restartPolicy = (inputs: Props) => ({
  Name: text(inputs, "restart") ?? "no",
  MaximumRetryCount: number(inputs, "maxRetryCount") ?? 0,
});

/** Makes and starts a container. One that cannot be started stays in the state, as with the real provider. */
export async function createContainer(daemon: Daemon, inputs: Props): Promise<Made> {
  const client = await daemon.client();
  const image = text(inputs, "image") ?? "";
  try {
    await client.getImage(image).inspect();
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new Error(`Unable to create container with image ${image}: there is no such image here, and the stand-in pulls none`);
  }
  const container = await client.createContainer(createOptions(inputs));
  try {
    await attachNetworks(daemon, container.id, inputs);
    if (inputs.start !== false) await container.start();
  } catch (error) {
    const outputs = containerOutputs(await container.inspect(), inputs);
    throw new PartialFailure({ id: container.id, outputs }, [`Unable to start container: ${messageOf(error)}`]);
  }
  await settle();
  return { id: container.id, outputs: containerOutputs(await container.inspect(), inputs) };
}

const SETTLE_MILLISECONDS = 250;

/** The real provider looks at a container a moment after its start, which shows one that ends at once. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MILLISECONDS));
}

async function attachNetworks(daemon: Daemon, id: string, inputs: Props): Promise<void> {
  const networks = objects(inputs, "networksAdvanced");
  if (networks.length === 0) return;
  const client = await daemon.client();
  try {
    await client.getNetwork("bridge").disconnect({ Container: id });
  } catch (error) {
    if (!messageOf(error).includes("is not connected to")) throw error;
  }
  for (const network of networks) {
    const aliases = texts(network, "aliases");
    await client.getNetwork(asText(network.name)).connect({
      Container: id,
      EndpointConfig: { Aliases: aliases, IPAMConfig: {} },
    });
  }
}

/** Looks a container up. */
export async function readContainer(daemon: Daemon, id: string, wanted: Props): Promise<Found | undefined> {
  const client = await daemon.client();
  let info: ContainerInspectInfo;
  try {
    info = await client.getContainer(id).inspect();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  return { id, outputs: containerOutputs(info, wanted) };
}

const IN_PLACE = ["restart", "maxRetryCount", "cpuShares", "memory", "memorySwap"];

/** Changes what Docker can change in a running container, and starts one that should run. */
export async function updateContainer(daemon: Daemon, id: string, olds: Props, news: Props): Promise<Props> {
  const client = await daemon.client();
  const container = client.getContainer(id);
  if (olds.mustRun === false && news.mustRun === true && news.start !== false) await container.start();
  if (IN_PLACE.some((key) => (olds[key] ?? 0) !== (news[key] ?? 0))) {
    const swap = number(news, "memorySwap");
    await container.update({
      CpuShares: number(news, "cpuShares") ?? 0,
      Memory: (number(news, "memory") ?? 0) * MEBIBYTE,
      RestartPolicy: restartPolicy(news),
      ...(swap === undefined ? {} : { MemorySwap: swapBytes(news) }),
    });
  }
  return containerOutputs(await container.inspect(), news);
}

/** Stops a container with its grace, then removes it. */
export async function deleteContainer(daemon: Daemon, id: string, outputs: Props): Promise<void> {
  const client = await daemon.client();
  const container = client.getContainer(id);
  try {
    await container.stop({ t: number(outputs, "destroyGraceSeconds") ?? 0 });
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    // 304: stopped already.
    if (statusCode !== 304 && statusCode !== 404) throw error;
  }
  try {
    await container.remove({ v: outputs.removeVolumes !== false, force: true });
  } catch (error) {
    if (!isMissing(error) && !messageOf(error).includes("is already in progress")) throw error;
  }
}
