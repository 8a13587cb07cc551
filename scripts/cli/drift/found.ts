import type Docker from "dockerode";
import { dockerCallOrNull, inspectOrNull } from "../../../components/runtime/docker.js";
import type { KnownObject } from "./known.js";

/** What Docker has in the place of an object that the state knows; null: nothing. */
export interface FoundObject {
  id: string;
  /** Without Docker's leading slash. */
  name: string;
  /** Of a container: `running`, `paused`, `exited` …; "" of all else. */
  status: string;
  volumes: { volume: string; path: string }[];
  networks: string[];
}

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
      return info === null ? null : { id: info.Id, name: info.Name, status: "", volumes: [], networks: [] };
    }
    case "volume": {
      const info = await dockerCallOrNull(`inspect volume ${name}`, (client) => client.getVolume(name).inspect());
      return info === null ? null : { id: info.Name, name: info.Name, status: "", volumes: [], networks: [] };
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
  };
}
