import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { rm } from "node:fs/promises";
import { Socket } from "node:net";
import path from "node:path";
import type { TarSource } from "./archive.js";
import { type Context, type Leftovers, throwIfEnded } from "./context.js";
import { fileOf, makePipe, openReader, type Pipe, PIPES } from "./pipe.js";
import { TarError } from "./tar-header.js";
import { inContainer, onHost, type Reading, type Runner } from "./volume-runner.js";

/**
 * Sorted as a walk lists it, names and owners as they are, times in whole seconds: what Docker's archive has. Of all warnings
 * only the one is on that means a spoilt file: one that shrank while it was read. A tar that knows no such options ends at once.
 */
const TAR = [
  "exec tar --warning=none --warning=file-shrank --sort=name --numeric-owner --blocking-factor=512 --format=pax",
  "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
  `--directory="$1" --create --file=- . >"$2"`,
].join(" ");

/** Exit codes of GNU tar that leave a whole archive: done, and "a file changed while it was read", which is its nature. */
const WHOLE = [0, 1];

export type VolumeReading = Omit<Reading, "script">;

/**
 * A tar of a volume, made on this host or in a container of its own, and handed over through a named pipe: a fraction of what
 * Docker's own archive costs, which goes through the daemon. Null where that is not to be had (no GNU tar here nor in the image, a
 * Docker that does not see this host's files): then Docker's archive does.
 */
export function openVolumeTar(context: Context, what: VolumeReading, leftovers: Leftovers): Promise<TarSource | null> {
  return openVolume(context, { ...what, script: TAR }, leftovers);
}

/** The same for whatever a script says of a volume: what it prints beside is why it failed. */
export async function openVolume(context: Context, what: Reading, leftovers: Leftovers): Promise<TarSource | null> {
  const pipe = await pipeFor(context, what.n, leftovers);
  if (pipe === null) return null;
  const here = what.directory === null ? null : await read(context, onHost(context, what, what.directory, pipe, leftovers), pipe);
  if (here !== null) return here;
  const there = await inContainer(context, what, pipe, leftovers);
  return there === null ? null : read(context, there, pipe);
}

/** A tar whose pipe another process reads. */
export interface PipedTar {
  /** The pipe's reading end, which waits for what comes, to be closed by the caller; at its end once tar has ended. */
  fd: number;
  /** As {@link TarSource.assertMade}. */
  assertMade(): Promise<void>;
  /** Ends a tar that nobody reads on, whatever it says of that. */
  end(): Promise<void>;
}

/** The same as {@link openVolumeTar} for a reader that is no stream of this process. */
export async function pipeVolumeTar(context: Context, what: VolumeReading, leftovers: Leftovers): Promise<PipedTar | null> {
  const pipe = await pipeFor(context, what.n, leftovers);
  if (pipe === null) return null;
  const reading = { ...what, script: TAR };
  const runner = what.directory === null ? await inContainer(context, reading, pipe, leftovers) : onHost(context, reading, what.directory, pipe, leftovers);
  if (runner === null) return null;
  // Opening one end waits for the other unless it is told not to, and the one that is handed on must wait for what comes.
  const first = await openReader(fileOf(pipe));
  const ending = runInto(pipe, runner);
  const fd = openSync(fileOf(pipe), constants.O_RDONLY);
  closeSync(first);
  const end = async (): Promise<void> => {
    await runner.remove();
    await ending.catch(() => undefined);
  };
  return { fd, assertMade: () => assertMade(ending, runner), end };
}

function pipeFor(context: Context, n: string, leftovers: Leftovers): Promise<Pipe | null> {
  const directory = path.join(context.paths.run, `${PIPES}${context.token}-${n}`);
  leftovers.add(directory, () => rm(directory, { recursive: true, force: true }));
  return makePipe(directory);
}

async function read(context: Context, runner: Runner, pipe: Pipe): Promise<TarSource | null> {
  const stream = new Socket({ fd: await openReader(fileOf(pipe)), readable: true, writable: false });
  const ending = runInto(pipe, runner);
  // Also when tar has ended: then with nothing.
  await once(stream, "readable", { signal: context.signal }).catch(() => undefined);
  if (stream.readableLength > 0) return { stream, base: ".", assertMade: () => assertMade(ending, runner) };
  stream.destroy();
  throwIfEnded(context.signal);
  return null;
}

/** Runs it to its end. As long as nobody has a pipe open for writing, it is at its end: until tar has begun, that is us. */
function runInto(pipe: Pipe, runner: Runner): Promise<number> {
  const held = openSync(fileOf(pipe), constants.O_WRONLY | constants.O_NONBLOCK);
  const ending = runner.run().finally(() => closeSync(held));
  // Told by whoever waits for it.
  ending.catch(() => undefined);
  return ending;
}

async function assertMade(ending: Promise<number>, runner: Runner): Promise<void> {
  const code = await ending;
  // A line for each file, in a message of one.
  const said = (await runner.said()).trim().replace(/\s*\n\s*/g, "; ");
  // A container would keep the volume from being removed.
  await runner.remove();
  if (!WHOLE.includes(code) || said !== "") throw new TarError(said === "" ? `tar ended with code ${code}` : said);
}
