import type { ContainerCreateOptions, MountSettings } from "dockerode";

/** A share of the processor far below the default of 1024: who serves goes first. */
export const CPU_SHARES = 128;
/** Bytes. */
const MEMORY = 128 * 1024 * 1024;

/** A container without a network and of low weight, in which nothing runs but a script for a shell, as root. */
export function toolContainer(image: string, command: { script: string; args?: readonly string[] }, mounts: MountSettings[]): ContainerCreateOptions {
  return {
    Image: image,
    User: "0:0",
    Entrypoint: ["sh", "-c", command.script, ...(command.args ?? [])],
    Cmd: [],
    Healthcheck: { Test: ["NONE"] },
    NetworkDisabled: true,
    HostConfig: {
      Mounts: mounts,
      NetworkMode: "none",
      Memory: MEMORY,
      MemorySwap: MEMORY,
      CpuShares: CPU_SHARES,
      SecurityOpt: ["no-new-privileges:true"],
    },
  };
}

/** A volume as it is: Docker would fill an empty one with what the image has there. */
export function volumeMount(source: string, target: string, readOnly: boolean): MountSettings {
  return {
    Type: "volume",
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    VolumeOptions: { NoCopy: true, Labels: {}, DriverConfig: { Name: "local", Options: {} } },
  };
}
