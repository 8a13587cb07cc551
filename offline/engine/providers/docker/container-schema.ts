import type { Schema } from "./schema.js";

const scalar = { kind: "scalar" } as const;
const fixed = { kind: "scalar", forceNew: true } as const;
const chosen = { kind: "scalar", forceNew: true, computed: true } as const;

/** The arguments of `docker.Container` that the stand-in knows. */
export const CONTAINER: Schema = {
  type: "docker.Container",
  autoname: true,
  fields: {
    capabilities: { kind: "object", forceNew: true, fields: { adds: { kind: "set" }, drops: { kind: "set" } } },
    command: { kind: "list", forceNew: true, computed: true },
    containerReadRefreshTimeoutMilliseconds: { ...scalar, default: 15_000 },
    cpuPeriod: scalar,
    cpuQuota: scalar,
    cpuShares: scalar,
    cpus: fixed,
    destroyGraceSeconds: scalar,
    entrypoints: { kind: "list", forceNew: true, computed: true },
    envs: { kind: "set", forceNew: true, computed: true },
    hostname: chosen,
    image: fixed,
    init: { kind: "scalar", computed: true },
    labels: { kind: "set", forceNew: true, computed: true, fields: { label: scalar, value: scalar } },
    logDriver: chosen,
    logOpts: { kind: "map", forceNew: true },
    maxRetryCount: scalar,
    memory: scalar,
    memorySwap: scalar,
    mustRun: { ...scalar, default: true },
    name: fixed,
    networkMode: { ...fixed, default: "bridge" },
    networksAdvanced: { kind: "set", forceNew: true, fields: { name: scalar, aliases: { kind: "set" } } },
    ports: {
      kind: "list",
      forceNew: true,
      unordered: true,
      fields: {
        internal: scalar,
        external: { kind: "scalar", computed: true },
        ip: { ...scalar, default: "0.0.0.0" },
        protocol: { ...scalar, default: "tcp" },
      },
    },
    readOnly: fixed,
    removeVolumes: { ...scalar, default: true },
    restart: { ...scalar, default: "no" },
    securityOpts: { kind: "set", forceNew: true, computed: true },
    start: { ...scalar, default: true },
    stopSignal: chosen,
    stopTimeout: chosen,
    tmpfs: { kind: "map" },
    user: chosen,
    volumes: {
      kind: "set",
      forceNew: true,
      fields: { containerPath: scalar, volumeName: scalar, hostPath: scalar, readOnly: scalar },
    },
    waitTimeout: { ...scalar, default: 60 },
    workingDir: chosen,
  },
};
