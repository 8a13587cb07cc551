/** CPU and memory of a stack's containers, as Docker counts them. */
import type Docker from "dockerode";
import { dockerCallOrNull, listByLabels } from "../runtime/docker.js";
import { LABEL, type Role } from "../runtime/labels.js";

export interface ContainerUse {
  container: string;
  role: string;
  /** Of an app's container; "" for others. */
  revision: string;
  /** Seconds of CPU since its start. */
  cpuSeconds: number;
  /** Bytes that the kernel cannot take back at will, and the limit of them. */
  memory: number;
  limit: number;
}

const MEASURED: readonly Role[] = ["app", "qdrant", "proxy"];

/** Of those that run. @throws ReleaseError of Docker */
export async function resourceUse(stack: string): Promise<ContainerUse[]> {
  const containers = (await listByLabels({ stack }, { all: false })).filter(({ Labels }) => MEASURED.some((role) => role === Labels[LABEL.role]));
  const used = await Promise.all(
    containers.map(async ({ Id, Names, Labels }) => {
      const container = (Names[0] ?? Id).replace(/^\//, "");
      // One look: else Docker takes two, a second apart.
      const stats = await dockerCallOrNull(`measure container ${container}`, (client) => client.getContainer(Id).stats({ stream: false, "one-shot": true }));
      const use = stats === null ? null : useOf(stats);
      return use === null ? [] : [{ container, role: Labels[LABEL.role] ?? "", revision: Labels[LABEL.revision] ?? "", ...use }];
    }),
  );
  return used.flat().sort((a, b) => (a.container < b.container ? -1 : 1));
}

/** What is read of Docker's statistics: version 1 of cgroups says `total_inactive_file`, version 2 `inactive_file`. */
export interface RawStats {
  cpu_stats: { cpu_usage?: Partial<Docker.ContainerStats["cpu_stats"]["cpu_usage"]> };
  memory_stats: { usage?: number; limit?: number; stats?: { total_inactive_file?: number; inactive_file?: number } };
}

/** Null for a container that has just ended. Pure. */
export function useOf({ cpu_stats: cpu, memory_stats: memory }: RawStats): Pick<ContainerUse, "cpuSeconds" | "memory" | "limit"> | null {
  const { usage, limit, stats } = memory;
  if (usage === undefined || limit === undefined || limit === 0) return null;
  const cache = stats?.total_inactive_file ?? stats?.inactive_file ?? 0;
  return { cpuSeconds: (cpu.cpu_usage?.total_usage ?? 0) / 1e9, memory: cache < usage ? usage - cache : usage, limit };
}

/** From 0 to 1: of the container of a revision that comes nearest to its limit; null where none runs. Pure. */
export function memoryShare(uses: readonly ContainerUse[], revision: string): number | null {
  const shares = uses.filter((use) => use.revision === revision && use.role === "app").map(({ memory, limit }) => memory / limit);
  return shares.length === 0 ? null : Math.max(...shares);
}
