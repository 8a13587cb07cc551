import type Docker from "dockerode";
import { dockerCallOrNull, inspectOrNull } from "../../../components/runtime/docker.js";
import type { Made } from "./differences.js";
import type { KnownObject } from "./known.js";

const MEBIBYTE = 1024 * 1024;

/** What Docker has in the place of an object that the state knows; null: nothing. */
export interface FoundObject {
  id: string;
  /** Without Docker's leading slash. */
  name: string;
  /** Of a container: `running`, `paused`, `exited` …; "" of all else. */
  status: string;
  volumes: { volume: string; path: string }[];
  networks: string[];
  /** Of a container. */
  made: Made;
  /** Of a container: its image's name and ID. */
  images: string[];
}

const NOTHING = { status: "", volumes: [], networks: [], made: { image: "", memory: 0, cpus: 0 }, images: [] };

/** By its ID, wherever that has gone; else by its name, whoever made that. @throws ReleaseError of Docker */
export async function find({ kind, id, name }: KnownObject): Promise<FoundObject | null> {
  switch (kind) {
    case "container": {
      const info = (await inspectOrNull(id)) ?? (await inspectOrNull(name));
      return info === null ? null : ofContainer(info);
    }
    case "network": {
      const read = (of: string): Promise<Docker.NetworkInspectInfo | null> => dockerCallOrNull(`inspect network ${of}`, (client) => client.getNetwork(of).inspect());
      const info = (await read(id)) ?? (await read(name));
      return info === null ? null : { id: info.Id, name: info.Name, ...NOTHING };
    }
    case "volume": {
      const info = await dockerCallOrNull(`inspect volume ${name}`, (client) => client.getVolume(name).inspect());
      return info === null ? null : { id: info.Name, name: info.Name, ...NOTHING };
    }
  }
}

function ofContainer(info: Docker.ContainerInspectInfo): FoundObject {
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ""),
    status: info.State.Paused ? "paused" : info.State.Status,
    volumes: info.Mounts.flatMap(({ Type, Name, Destination }) => (Type === "volume" && Name !== undefined ? [{ volume: Name, path: Destination }] : [])),
    networks: Object.keys(info.NetworkSettings.Networks),
    made: { image: info.Config.Image, memory: Math.floor((info.HostConfig.Memory ?? 0) / MEBIBYTE), cpus: cpusOf(info.HostConfig) },
    images: [info.Config.Image, info.Image],
  };
}

/** Docker keeps a limit as it was given: in billionths of a core (`--cpus`), or as a quota of a period. */
function cpusOf({ NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0 }: Docker.HostConfig): number {
  return NanoCpus > 0 ? NanoCpus / 1e9 : CpuQuota > 0 ? CpuQuota / (CpuPeriod || 100_000) : 0;
}
