/** What a look into a container proves against it, in words. Pure. */
import type { ContainerSample } from "./model.js";

/** Why the front door cannot reach the app although it runs; null: that is not it. */
export function loopbackFault({ inside }: ContainerSample): string | null {
  const unheard = inside != null && inside.listens.length > 0 && inside.listens.every((from) => from === "loopback");
  return unheard ? "listens on 127.0.0.1 only, where nobody outside of it can reach it: start the app with --server.address=0.0.0.0 (STREAMLIT_SERVER_ADDRESS)" : null;
}

/** Why users' uploads cannot work; null: they can. */
export function uploadsFault({ inside }: ContainerSample): string | null {
  if (inside == null || inside.uploads === null) return null;
  const { fault, path, volume, image } = inside.uploads;
  const what = fault === "unwritable" ? `cannot write to ${path}, where uploads go` : `cannot read ${JSON.stringify(path)}, which is among the uploads`;
  // Rights for all, not another owner: the release that serves may run as somebody else, and must go on writing.
  const next = `docker run --rm --user 0 --entrypoint chmod --volume ${volume}:/uploads ${image.slice(0, 19)} -R a+rwX /uploads`;
  return `${what}, as its user ${inside.user || "is"}: let the image run as the user of the releases before, or let any user work with them (${next})`;
}

/** Minor version of Streamlit 1 from which on it asks for both alike. */
const FIXED_IN = 47;

/**
 * Streamlit pings each second and means to wait 30 s for the answer; tornado waits no longer than the time between two pings since 6.5.0. Seen
 * with streamlit 1.40.0 and tornado 6.6.1: who misses one ping is cut after two seconds; 1.46.0 asks for the same,
 * and 1.47.1 for 30 s of both.
 */
export function pingNote({ inside }: ContainerSample): string[] {
  const { streamlit, tornado } = inside?.packages ?? {};
  if (streamlit === undefined || tornado === undefined) return [];
  const hasPair = isBefore(streamlit, [1, FIXED_IN]) && !isBefore(tornado, [6, 5]);
  return hasPair ? [`Streamlit ${streamlit} with tornado ${tornado} cuts every user whose connection misses one ping, after 2 s: pin tornado<6.5, or take Streamlit 1.${FIXED_IN} or later`] : [];
}

function isBefore(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return first !== undefined && (Number(first) < major || (Number(first) === major && Number(second) < minor));
}

/** What should be known of the image's HEALTHCHECK: it holds up no release, as one that calls a missing tool fails in a well app too. */
export function healthcheckNote({ inside }: ContainerSample): string[] {
  const { exitCode, output } = inside?.healthcheck ?? { exitCode: 0, output: "" };
  if (exitCode === 0) return [];
  const how = exitCode < 0 ? "has no end in its time" : `fails with exit code ${exitCode}`;
  return [`the image's HEALTHCHECK ${how}${output === "" ? "" : ` (${output})`}, so Docker will call its containers unhealthy`];
}
