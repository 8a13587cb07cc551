import type { VolumeInspectInfo } from "dockerode";
import type { Props } from "../../values.js";
import type { Found, Made } from "../provider.js";
import type { Daemon } from "./client.js";
import { isMissing, labelList, labelMap, text, textMap } from "./read.js";
import type { Schema } from "./schema.js";

/** The arguments of `docker.Volume`. */
export const VOLUME: Schema = {
  type: "docker.Volume",
  autoname: true,
  fields: {
    name: { kind: "scalar", forceNew: true, computed: true },
    driver: { kind: "scalar", forceNew: true, computed: true },
    driverOpts: { kind: "map", forceNew: true },
    labels: {
      kind: "set",
      forceNew: true,
      fields: { label: { kind: "scalar" }, value: { kind: "scalar" } },
    },
  },
};

/** Makes a volume, or takes up the one of its name. */
export async function createVolume(daemon: Daemon, inputs: Props): Promise<Made> {
  const client = await daemon.client();
  const name = text(inputs, "name") ?? "";
  const driver = text(inputs, "driver");
  await client.createVolume({
    Name: name,
    Labels: labelMap(inputs),
    DriverOpts: textMap(inputs, "driverOpts"),
    ...(driver === undefined ? {} : { Driver: driver }),
  });
  const found = await readVolume(daemon, name);
  return found ?? { id: name, outputs: inputs };
}

/** Looks a volume up. */
export async function readVolume(daemon: Daemon, id: string): Promise<Found | undefined> {
  const client = await daemon.client();
  try {
    return { id, outputs: volumeOutputs(await client.getVolume(id).inspect()) };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const IN_USE_MILLISECONDS = 30_000;
const RETRY_MILLISECONDS = 500;

/** Removes a volume; one that is still in use is waited for, as the real provider does. */
export async function deleteVolume(daemon: Daemon, id: string): Promise<void> {
  const client = await daemon.client();
  const deadline = Date.now() + IN_USE_MILLISECONDS;
  for (;;) {
    try {
      await client.getVolume(id).remove();
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const inUse = (error as { statusCode?: number }).statusCode === 409;
      if (!inUse || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    }
  }
}

/** What the state says of a volume. */
export function volumeOutputs(info: VolumeInspectInfo): Props {
  return {
    __meta: '{"schema_version":"1"}',
    cluster: null,
    driver: info.Driver,
    driverOpts: info.Options === null || Object.keys(info.Options).length === 0 ? null : { ...info.Options },
    id: info.Name,
    labels: labelList(info.Labels),
    mountpoint: info.Mountpoint,
    name: info.Name,
  };
}
