/** What a container was made with; 0 and "": not known, or no limit. */
export interface Made {
  image: string;
  /** Whole mebibytes. */
  memory: number;
  /** Cores. */
  cpus: number;
}

/**
 * In what a container that somebody made anew differs from the one that was declared, in words, with the command that gives it the limits
 * back while it runs. Another image stays until the container is made anew by a release. Pure.
 *
 * @param images the present one's name and ID
 * @returns "" where it does not differ
 */
export function differences(name: string, declared: Made, found: Made, images: readonly string[]): string {
  const limits = [
    ...(declared.memory > 0 && declared.memory !== found.memory ? [`memory ${mebibytes(found.memory)} instead of ${mebibytes(declared.memory)}`] : []),
    ...(declared.cpus > 0 && declared.cpus !== found.cpus ? [`cpus ${found.cpus > 0 ? String(found.cpus) : "without a limit"} instead of ${declared.cpus}`] : []),
  ];
  const image = declared.image !== "" && !images.includes(declared.image) ? [`image ${found.image} instead of ${declared.image}`] : [];
  if (limits.length + image.length === 0) return "";
  return ` with ${[...image, ...limits].join(", ")}${limits.length === 0 ? "" : ` (docker update ${update(declared)} ${name} sets the limits while it runs)`}`;
}

const mebibytes = (count: number): string => (count > 0 ? `${count}MiB` : "without a limit");

function update({ memory, cpus }: Made): string {
  return [...(memory > 0 ? [`--memory ${memory}m --memory-swap ${memory}m`] : []), ...(cpus > 0 ? [`--cpu-period 100000 --cpu-quota ${Math.round(cpus * 100_000)}`] : [])].join(" ");
}
