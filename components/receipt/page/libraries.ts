/**
 * What draws the plots. Loaded by a file of its own, which stays one beside the bundled command line (see scripts/lib/bundle.mjs): the
 * first is a module to be imported, and what V8 takes from a cache of compiled code has nobody to ask for one.
 */
import type * as Plot from "@observablehq/plot" with { "resolution-mode": "import" };

/** Takes a third of a second. */
export async function loadLibraries(): Promise<{ plot: typeof Plot; DOMParser: typeof import("linkedom").DOMParser }> {
  const [plot, { DOMParser }] = await Promise.all([import("@observablehq/plot"), import("linkedom")]);
  return { plot, DOMParser };
}
