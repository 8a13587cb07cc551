/** What the app's own log says of errors since the last look. */
import { secretValues } from "../gate/app-log.js";
import { loggedErrors, plainLines } from "../gate/log-errors.js";
import { containerEnv, dockerCallOrNull, inspectOrNull } from "../runtime/docker.js";
import { demultiplex } from "../runtime/docker-exec.js";
import { createRedactor } from "../runtime/redact.js";

export interface LogErrors {
  count: number;
  /** The last of them, masked; "" for none. */
  last: string;
}

/** Lines of each container that are looked at. */
const MOST_LINES = 2000;
/** Characters of the last line that are shown. */
const EXCERPT = 160;

/**
 * @param since milliseconds since 1970
 * @param secretEnv names of variables that hold secrets
 * @throws ReleaseError of Docker
 */
export async function logErrors(containers: readonly string[], since: number, secretEnv: readonly string[]): Promise<LogErrors> {
  const found = await Promise.all(containers.map((name) => errorsOf(name, since, secretEnv)));
  return { count: found.reduce((sum, { count }) => sum + count, 0), last: found.find(({ last }) => last !== "")?.last ?? "" };
}

async function errorsOf(container: string, since: number, secretEnv: readonly string[]): Promise<LogErrors> {
  const info = await inspectOrNull(container);
  const raw = info === null ? null : await dockerCallOrNull(`read the log of container ${container}`, (client, abortSignal) =>
    client.getContainer(container).logs({ stdout: true, stderr: true, follow: false, tail: MOST_LINES, since: (since / 1000).toFixed(3), abortSignal }),
  );
  if (info === null || raw === null) return { count: 0, last: "" };
  const { count, last } = errorsIn((info.Config.Tty ? raw : demultiplex(raw)).toString("utf8"));
  // Masked before it is cut: half a secret would not be known again.
  return { count, last: createRedactor(secretValues(containerEnv(info), secretEnv))(last).slice(0, EXCERPT) };
}

/** One for each failure, and what the last of them says itself. Pure. */
export function errorsIn(log: string): LogErrors {
  const errors = loggedErrors(plainLines(log));
  return { count: errors.length, last: errors.at(-1)?.text ?? "" };
}
