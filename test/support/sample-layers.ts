import { join } from "node:path";
import { run, mustRun } from "./processes.js";
import { ROOT } from "./project.js";

/** A name for what was built of a tag; it goes with {@link removeSampleLayers}. */
const imageOf = (stack: string, tag: string): string => `pbjrag-test/layers:${stack}-${tag}`;

/**
 * Builds tags of the sample app, so that Docker has their layers: two of its tags install different packages, which takes a minute of one
 * core each, and a load that is measured shares two cores with whatever is built beside it. Docker finds a copied file's layer again by
 * its mode as well, so files have the one that a checkout gives them.
 */
export async function cacheSampleLayers(stack: string, tags: readonly string[]): Promise<void> {
  for (const tag of tags) {
    await mustRun("bash", ["-c", 'set -o pipefail; git -c tar.umask=0022 archive "$1" | docker build --quiet --tag "$2" -', "build", tag, imageOf(stack, tag)], {
      cwd: join(ROOT, ".release", "sample-app"), env: { DOCKER_BUILDKIT: "0" }, timeoutMs: 600_000,
    });
  }
}

export async function removeSampleLayers(stack: string, tags: readonly string[]): Promise<void> {
  await run("docker", ["image", "rm", ...tags.map((tag) => imageOf(stack, tag))], { cwd: ROOT });
}
