/** What people and other tools do to a stack's containers, network and volumes by hand. */
import Docker from "dockerode";
import { waitFor } from "./wait.js";

export interface RemakeOptions {
  /** Mounts that it gets; those that it had without. */
  readonly binds?: readonly string[];
  /** Labels that it gets; those that it had without. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Bytes of memory, swap included; as before without. */
  readonly memory?: number;
}

/**
 * As Watchtower and Portainer do: the container is stopped and removed, and one with the same name and settings is made and started.
 * @returns the new one's ID
 */
export async function remake(name: string, { binds, labels, memory }: RemakeOptions = {}): Promise<string> {
  const docker = new Docker();
  const old = await docker.getContainer(name).inspect();
  await docker.getContainer(old.Id).remove({ force: true });
  const { Config, HostConfig, NetworkSettings } = old;
  const made = await docker.createContainer({
    name, Image: Config.Image, Env: Config.Env, Cmd: Config.Cmd, Entrypoint: Config.Entrypoint, Labels: { ...(labels ?? Config.Labels) }, ExposedPorts: Config.ExposedPorts,
    StopSignal: (Config as { StopSignal?: string }).StopSignal,
    HostConfig: { ...HostConfig, ...(binds === undefined ? {} : { Binds: [...binds] }), ...(memory === undefined ? {} : { Memory: memory, MemorySwap: memory }) },
  });
  const networks = Object.keys(NetworkSettings.Networks);
  const bridge = docker.getNetwork("bridge");
  for (const network of networks) await docker.getNetwork(network).connect({ Container: made.id });
  if (!networks.includes("bridge")) await bridge.disconnect({ Container: made.id }).catch(() => undefined);
  await made.start();
  return made.id;
}

/** Its ID, or null where there is none of that name. */
export async function idOf(name: string): Promise<string | null> {
  return new Docker().getContainer(name).inspect().then(({ Id }) => Id, () => null);
}

/** Takes a network from all that are on it, removes it and makes one of the same name. @returns who was on it */
export async function removeNetwork(name: string): Promise<string[]> {
  const network = new Docker().getNetwork(name);
  const info = (await network.inspect()) as { Containers: Record<string, { Name: string }> };
  const members = Object.values(info.Containers).map(({ Name }) => Name);
  for (const member of members) await network.disconnect({ Container: member, Force: true });
  await waitFor(`network ${name} to be removed`, () => network.remove().then(() => true));
  return members.sort();
}
