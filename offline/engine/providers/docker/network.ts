import type { NetworkInspectInfo } from "dockerode";
import type { Props, Value } from "../../values.js";
import type { Found, Made } from "../provider.js";
import type { Daemon } from "./client.js";
import { flag, isMissing, labelList, labelMap, text } from "./read.js";
import type { Schema } from "./schema.js";

const LABEL = { label: { kind: "scalar" }, value: { kind: "scalar" } } as const;

/** The arguments of `docker.Network`. */
export const NETWORK: Schema = {
  type: "docker.Network",
  autoname: true,
  fields: {
    name: { kind: "scalar", forceNew: true },
    driver: { kind: "scalar", forceNew: true, computed: true },
    internal: { kind: "scalar", forceNew: true, computed: true },
    attachable: { kind: "scalar", forceNew: true },
    ipamDriver: { kind: "scalar", forceNew: true, default: "default" },
    labels: { kind: "set", forceNew: true, fields: LABEL },
  },
};

/** Makes a network. */
export async function createNetwork(daemon: Daemon, inputs: Props): Promise<Made> {
  const client = await daemon.client();
  const driver = text(inputs, "driver");
  const network = await client.createNetwork({
    Name: text(inputs, "name") ?? "",
    // Docker would make a second one of the same name.
    CheckDuplicate: true,
    Internal: flag(inputs, "internal"),
    Attachable: flag(inputs, "attachable"),
    Labels: labelMap(inputs),
    IPAM: { Driver: text(inputs, "ipamDriver") ?? "default" },
    ...(driver === undefined ? {} : { Driver: driver }),
  });
  const found = await readNetwork(daemon, network.id);
  return found ?? { id: network.id, outputs: inputs };
}

/** Looks a network up. */
export async function readNetwork(daemon: Daemon, id: string): Promise<Found | undefined> {
  const client = await daemon.client();
  try {
    const info = (await client.getNetwork(id).inspect());
    return { id: info.Id, outputs: networkOutputs(info) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Removes a network. */
export async function deleteNetwork(daemon: Daemon, id: string): Promise<void> {
  const client = await daemon.client();
  try {
    await client.getNetwork(id).remove();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** What the state says of a network. */
export function networkOutputs(info: NetworkInspectInfo): Props {
  const configs = info.IPAM?.Config ?? [];
  return {
    __meta: '{"schema_version":"1"}',
    attachable: info.Attachable,
    driver: info.Driver,
    id: info.Id,
    ingress: info.Ingress,
    internal: info.Internal,
    ipamConfigs: configs.map((each): Value => {
      const config = each as Record<string, string | undefined>;
      return {
        auxAddress: {},
        gateway: config.Gateway ?? "",
        ipRange: config.IPRange ?? "",
        subnet: config.Subnet ?? "",
      };
    }),
    ipamDriver: info.IPAM?.Driver ?? "default",
    ipamOptions: null,
    ipv6: info.EnableIPv6,
    labels: labelList(info.Labels),
    name: info.Name,
    options: { ...(info.Options ?? {}) },
    scope: info.Scope,
  };
}
