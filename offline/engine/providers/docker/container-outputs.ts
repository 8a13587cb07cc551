import type { ContainerInspectInfo } from "dockerode";
import { asText, type Props, type Value } from "../../values.js";
import { healthcheck } from "./healthcheck.js";
import { objects } from "./read.js";

const META =
  '{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":1200000000000,"delete":1200000000000,"update":1200000000000},"schema_version":"2"}';
const MEBIBYTE = 1024 * 1024;

/** What the real provider keeps from the arguments, since Docker does not tell it. */
const KEPT = [
  "containerReadRefreshTimeoutMilliseconds",
  "cpuPeriod",
  "cpuQuota",
  "destroyGraceSeconds",
  "removeVolumes",
  "start",
  "waitTimeout",
] as const;

/** What the types leave out. */
interface StopConfig {
  StopSignal?: string;
  StopTimeout?: number;
}

/**
 * What the state says of a container. The real engine replaces a container whose outputs are not complete,
 * so every property of the real provider is here.
 * @param wanted the container's inputs, or its last outputs when it is looked up again
 */
export function containerOutputs(info: ContainerInspectInfo, wanted: Props): Props {
  const { HostConfig: host, State: state } = info;
  const config: StopConfig & ContainerInspectInfo["Config"] = info.Config;
  const running = state.Running;
  return {
    __meta: META,
    ...unused(),
    ...Object.fromEntries(KEPT.map((key) => [key, wanted[key] ?? null])),
    bridge: (info.NetworkSettings as { Bridge?: string }).Bridge ?? "",
    capabilities: capabilities(host.CapAdd, host.CapDrop),
    command: list(config.Cmd),
    cpuSet: host.CpusetCpus ?? "",
    cpuShares: host.CpuShares ?? 0,
    cpus: host.NanoCpus === undefined || host.NanoCpus === 0 ? null : cpusText(host.NanoCpus),
    domainname: config.Domainname,
    entrypoints: list(config.Entrypoint),
    envs: wanted.envs ?? [],
    exitCode: running ? null : state.ExitCode,
    healthcheck: healthcheck(config.Healthcheck),
    hostname: config.Hostname,
    id: info.Id,
    image: asText(wanted.image).startsWith("sha256:") ? info.Image : config.Image,
    init: host.Init ?? false,
    ipcMode: host.IpcMode ?? "",
    labels: sortedLabels(wanted),
    logDriver: host.LogConfig?.Type ?? "",
    logOpts: map(host.LogConfig?.Config as Record<string, string> | undefined),
    maxRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0,
    memory: Math.floor((host.Memory ?? 0) / MEBIBYTE),
    memoryReservation: Math.floor((host.MemoryReservation ?? 0) / MEBIBYTE),
    memorySwap: swap(host.MemorySwap ?? 0),
    // A container that should run and does not is drift: the next update sees it here.
    mustRun: running ? (wanted.mustRun ?? true) : false,
    name: info.Name.replace(/^\//, ""),
    networkDatas: networkDatas(info),
    networkMode: host.NetworkMode ?? "",
    networksAdvanced: networksAdvanced(wanted),
    platform: info.Platform,
    ports: ports(info, wanted),
    privileged: host.Privileged ?? false,
    publishAllPorts: host.PublishAllPorts ?? false,
    readOnly: host.ReadonlyRootfs ?? false,
    restart: host.RestartPolicy?.Name === "" ? "no" : (host.RestartPolicy?.Name ?? "no"),
    runtime: host.Runtime ?? "",
    securityOpts: list(host.SecurityOpt as string[] | null | undefined),
    shmSize: Math.floor((host.ShmSize ?? 0) / MEBIBYTE),
    stopSignal: config.StopSignal ?? "",
    stopTimeout: config.StopTimeout ?? 0,
    tmpfs: map(host.Tmpfs),
    user: config.User,
    usernsMode: host.UsernsMode ?? "",
    volumes: volumes(wanted),
    workingDir: config.WorkingDir,
  };
}

/** The properties that follow from arguments the stand-in refuses. */
function unused(): Props {
  const lists = ["deviceReadBps", "deviceReadIops", "deviceRequests", "deviceWriteBps", "deviceWriteIops", "devices"];
  const others = ["hosts", "mounts", "ulimits", "uploads"];
  const nothing = ["cgroupParent", "cgroupnsMode", "containerLogs", "dns", "dnsOpts"];
  const more = ["dnsSearches", "gpus", "groupAdds", "pidMode", "storageOpts", "sysctls"];
  const no = ["attach", "logs", "rm", "stdinOpen", "tty", "wait"];
  return Object.fromEntries([
    ...[...lists, ...others].map((key): [string, Value] => [key, []]),
    ...[...nothing, ...more].map((key): [string, Value] => [key, null]),
    ...no.map((key): [string, Value] => [key, false]),
  ]);
}

/** The real provider's own form: one decimal where there are nine zeros, else without the zeros at the end (`10.`). */
export function cpusText(nanoCpus: number): string {
  const text = (nanoCpus / 1e9).toFixed(9);
  return text.split("0").length - 1 === 9 ? (nanoCpus / 1e9).toFixed(1) : text.replace(/0+$/, "");
}

const list = (value: string | string[] | null | undefined): Value =>
  value === null || value === undefined ? [] : Array.isArray(value) ? [...value] : [value];

const map = (value: Record<string, string> | null | undefined): Value =>
  value === null || value === undefined || Object.keys(value).length === 0 ? null : { ...value };

const swap = (bytes: number): number => (bytes > 0 ? Math.floor(bytes / MEBIBYTE) : bytes);

function capabilities(adds: unknown, drops: unknown): Value {
  const [added, dropped] = [adds, drops].map((each) => list(each as string[] | null) as Value[]);
  if ((added ?? []).length + (dropped ?? []).length === 0) return null;
  return { adds: added ?? [], drops: dropped ?? [] };
}

function sortedLabels(wanted: Props): Value {
  return objects(wanted, "labels")
    .map(({ label, value }): Props => ({ label: label ?? "", value: value ?? "" }))
    .sort((a, b) => asText(a.label).localeCompare(asText(b.label)));
}

function networksAdvanced(wanted: Props): Value {
  return objects(wanted, "networksAdvanced").map((each) => ({
    aliases: each.aliases ?? [],
    driverOpts: [],
    gwPriority: null,
    ipv4Address: "",
    ipv6Address: "",
    linkLocalIps: [],
    macAddress: "",
    name: each.name ?? "",
  }));
}

function volumes(wanted: Props): Value {
  return objects(wanted, "volumes").map((each) => ({
    containerPath: each.containerPath ?? "",
    fromContainer: "",
    hostPath: each.hostPath ?? "",
    readOnly: each.readOnly ?? null,
    selinuxRelabel: "",
    volumeName: each.volumeName ?? "",
  }));
}

function networkDatas(info: ContainerInspectInfo): Value {
  const networks = Object.entries(info.NetworkSettings.Networks).sort(([a], [b]) => a.localeCompare(b));
  return networks.map(([networkName, data]) => ({
    gateway: data.Gateway,
    globalIpv6Address: data.GlobalIPv6Address,
    globalIpv6PrefixLength: data.GlobalIPv6PrefixLen,
    ipAddress: data.IPAddress,
    ipPrefixLength: data.IPPrefixLen,
    ipv6Gateway: data.IPv6Gateway,
    macAddress: data.MacAddress,
    networkName,
  }));
}

function ports(info: ContainerInspectInfo, wanted: Props): Value {
  if (!info.State.Running && wanted.mustRun === false) return wanted.ports ?? [];
  if (objects(wanted, "ports").length === 0) return [];
  const bound = Object.entries(info.NetworkSettings.Ports ?? {}).flatMap(([key, bindings]) => {
    const [internal, protocol = "tcp"] = key.split("/");
    return ((bindings as { HostIp: string; HostPort: string }[] | null) ?? []).map((binding) => ({
      external: Number(binding.HostPort),
      internal: Number(internal),
      ip: binding.HostIp,
      protocol,
    }));
  });
  return bound.sort((a, b) => a.internal - b.internal || a.protocol.localeCompare(b.protocol));
}
