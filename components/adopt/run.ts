import type Docker from "dockerode";
import { dockerCall, dockerCallOrNull, inspect } from "../runtime/docker.js";
import type { DataPaths } from "../runtime/paths.js";
import type { AdoptOutcome, AdoptRequest } from "./model.js";
import { type AdoptRecord, readAdopted, writeAdopted } from "./record.js";

/** Seconds that Docker gives a container to end by itself: an app has nothing to keep, Qdrant writes. */
const APP_S = 3;
const QDRANT_S = 20;
/** Of a container that is stopped for good: a restart of Docker must not bring it back to the port and the data. */
const NEVER = { Name: "no", MaximumRetryCount: 0 };

export interface AdoptContext {
  paths: DataPaths;
  say: (message: string) => void;
  assertHolds: () => void;
}

/** Stops what has served until now, app first. Nothing is removed; how it was is written down before. Repeating it does nothing. */
export async function adopt({ containers, qdrantVolume }: AdoptRequest, { paths, say, assertHolds }: AdoptContext): Promise<AdoptOutcome> {
  const infos = inOrder(await Promise.all(containers.map(inspect)), qdrantVolume);
  assertHolds();
  const record = (await readAdopted(paths)) ?? { stoppedAt: Date.now(), containers: infos.map(stateOf) };
  await writeAdopted(paths, record);
  say("DOWNTIME begins: stopping what has served until now");
  for (const info of infos) {
    assertHolds();
    await dockerCall(`keep ${info.Name} from being started again`, (client) => client.getContainer(info.Id).update({ RestartPolicy: NEVER }));
    const seconds = mounts(info, qdrantVolume) ? QDRANT_S : APP_S;
    if (info.State.Running) await dockerCall(`stop ${info.Name}`, (client, abortSignal) => client.getContainer(info.Id).stop({ t: seconds, abortSignal }), (seconds + 30) * 1000);
  }
  return { stopped: infos.map(nameOf), stoppedAt: record.stoppedAt };
}

/** Starts again what was stopped, as it was before, in reverse order. What is gone is left out. @returns names of those that run again */
export async function giveBack({ containers }: AdoptRecord): Promise<string[]> {
  const started: string[] = [];
  for (const { id, name, running, restart } of [...containers].reverse()) {
    const info = await dockerCallOrNull(`inspect ${name}`, (client, abortSignal) => client.getContainer(id).inspect({ abortSignal }));
    if (info === null) continue;
    await dockerCall(`let ${name} be started again`, (client) => client.getContainer(id).update({ RestartPolicy: restart }));
    if (running && !info.State.Running) await dockerCall(`start ${name}`, (client, abortSignal) => client.getContainer(id).start({ abortSignal }));
    if (running) started.push(name);
  }
  return started;
}

/** Those that have the volume come last. Pure. */
export function inOrder<T extends Pick<Docker.ContainerInspectInfo, "Mounts">>(infos: readonly T[], volume: string): T[] {
  return [...infos.filter((info) => !mounts(info, volume)), ...infos.filter((info) => mounts(info, volume))];
}

export function mounts({ Mounts }: Pick<Docker.ContainerInspectInfo, "Mounts">, volume: string): boolean {
  return Mounts.some(({ Name }) => Name === volume);
}

function stateOf(info: Docker.ContainerInspectInfo): AdoptRecord["containers"][number] {
  const { Name = "no", MaximumRetryCount = 0 } = info.HostConfig.RestartPolicy ?? {};
  return { id: info.Id, name: nameOf(info), running: info.State.Running, restart: { Name: Name === "" ? "no" : Name, MaximumRetryCount } };
}

function nameOf({ Name }: Pick<Docker.ContainerInspectInfo, "Name">): string {
  return Name.replace(/^\//, "");
}
