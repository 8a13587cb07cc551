import { parseArgs } from "node:util";

export interface Options {
  /** At most so many. */
  runs: number;
  /** No run begins after so many. */
  minutes: number;
  /** Undefined: a new one. */
  seed: number | undefined;
}

export const USAGE = `Usage: npm run chaos:backup -- [--runs N] [--minutes M] [--seed S]

Disturbs backups (their proof included) and restores at random moments, on a Docker daemon, a network and disks of its own: kill -9 of the process,
a full disk of the backups or of Docker, Qdrant killed or restarted, the Docker daemon killed. After each: what calls itself a whole backup or a
restored generation is whole, the data is as it was, and the same command run again works and leaves nothing behind.
Needs root, loop devices and the images of this machine's Docker.

  --runs N      how many (default 100)
  --minutes M   none begins after so many (default 45)
  --seed S      repeats the choices of a run: each prints its own

Exit codes: 0 all as it must be, 1 not, 2 it could not be tried here.
`;

/** Pure. @throws RangeError for what makes no sense, TypeError for what is not known */
export function optionsFrom(args: readonly string[]): Options | null {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: "string" }, minutes: { type: "string" }, seed: { type: "string" }, help: { type: "boolean" } } });
  if (values.help === true) return null;
  return { runs: whole("runs", values.runs ?? "100", 1), minutes: whole("minutes", values.minutes ?? "45", 1), seed: values.seed === undefined ? undefined : whole("seed", values.seed, 0) };
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new RangeError(`--${name} is a whole number from ${least}, not ${JSON.stringify(text)}`);
  return value;
}
