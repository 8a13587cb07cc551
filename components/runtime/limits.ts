/** A container's limits in the form in which Pulumi's Docker provider takes them and finds them again. Pure. */

/** Microseconds: Docker's own default. */
const CPU_PERIOD = 100_000;
const MEBIBYTE = 1024 * 1024;

export interface ContainerLimits {
  /** Microseconds. */
  cpuPeriod: number;
  /** Microseconds of processor time within each period. */
  cpuQuota: number;
  /** Whole mebibytes. */
  memory: number;
  /** The same: without it the provider never finds the container as it was declared. */
  memorySwap: number;
}

/**
 * As a quota, for the provider reads `cpus` back as other text than it was given ("1" as "1.0", "10" as "10."), and would
 * replace a container that serves for that difference.
 * @param limits cores, and memory in bytes
 */
export function containerLimits({ cpus, memory }: { cpus: number; memory: number }): ContainerLimits {
  const mebibytes = Math.floor(memory / MEBIBYTE);
  return { cpuPeriod: CPU_PERIOD, cpuQuota: Math.round(cpus * CPU_PERIOD), memory: mebibytes, memorySwap: mebibytes };
}

/** Resource options of a container whose quota can change: the provider takes a new one for done without telling Docker. */
export const REPLACED_FOR_CPUS: { replaceOnChanges: string[]; deleteBeforeReplace: true } = {
  replaceOnChanges: ["cpuPeriod", "cpuQuota"],
  deleteBeforeReplace: true,
};
