import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import path from "node:path";
import { z } from "zod";
import { dockerCall, removeContainer } from "../runtime/docker.js";
import { logTail } from "../runtime/docker-exec.js";
import { labels } from "../runtime/labels.js";
import type { TarSource } from "./archive.js";
import { type Context, type Leftovers, throwIfEnded } from "./context.js";
import { scratchName } from "./names.js";
import { CPU_SHARES, readOnlyVolume } from "./reader.js";
import { directoryNames } from "./files.js";
import { TarError } from "./tar-header.js";

/** Where a reader has the volume. */
export const ROOT = "/pbjrag/volume";
const OUT = "/pbjrag/out";
const PIPE = "pipe";
/** Where it is to write. */
export const PIPED = `${OUT}/${PIPE}`;
/** Directories of pipes begin so, in the directory of running releases. */
const PIPES = "reader-";
/** Bytes. */
const MEMORY = 128 * 1024 * 1024;

/**
 * Sorted as a walk lists it, names and owners as they are, times in whole seconds: what Docker's archive has. Of all warnings
 * only the one is on that means a spoilt file: one that shrank while it was read. A tar that knows no such options ends at once.
 */
const TAR = [
  "exec tar --warning=none --warning=file-shrank --sort=name --numeric-owner --blocking-factor=512 --format=pax",
  "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime,delete=mtime",
  `--directory=${ROOT} --create --file=- . >${PIPED}`,
].join(" ");

const exited = z.object({ StatusCode: z.number() });

/** Exit codes of GNU tar that leave a whole archive: done, and "a file changed while it was read", which is its nature. */
const WHOLE = [0, 1];

/**
 * A tar of a volume, made in a container of its own and handed over through a named pipe on this host: a fraction of what
 * Docker's own archive costs, which goes through the daemon. Null where that is not to be had (an image without GNU tar, a
 * Docker that does not see this host's files): then Docker's archive does.
 */
export function openVolumeTar(context: Context, what: VolumeReading, leftovers: Leftovers): Promise<TarSource | null> {
  return openVolume(context, { ...what, script: TAR }, leftovers);
}

export interface Reading {
  stack: string;
  volume: string;
  image: string;
  /** Tells several of one run apart. */
  n: string;
  /** For a shell with the volume at {@link ROOT}: writes to {@link PIPED}. */
  script: string;
}

export type VolumeReading = Omit<Reading, "script">;

/** The same for whatever a script says of a volume: what it prints beside is why it failed. */
export async function openVolume(context: Context, what: Reading, leftovers: Leftovers): Promise<TarSource | null> {
  const prepared = await prepare(context, what, leftovers);
  return prepared === null ? null : read(context, prepared);
}

/** A tar whose pipe another process reads. */
export interface PipedTar {
  /** The pipe's reading end, which waits for what comes, to be closed by the caller; at its end once tar has ended. */
  fd: number;
  /** As {@link TarSource.assertMade}. */
  assertMade(): Promise<void>;
}

/** The same as {@link openVolumeTar} for a reader that is no stream of this process. */
export async function pipeVolumeTar(context: Context, what: VolumeReading, leftovers: Leftovers): Promise<PipedTar | null> {
  const prepared = await prepare(context, { ...what, script: TAR }, leftovers);
  if (prepared === null) return null;
  const { container, pipe } = prepared;
  // Opening one end waits for the other unless it is told not to, and the one that is handed on must wait for what comes.
  const first = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const ending = runInto(pipe, context, container);
  const fd = openSync(pipe, constants.O_RDONLY);
  closeSync(first);
  return { fd, assertMade: () => assertMade(ending, container) };
}

interface Prepared {
  container: string;
  pipe: string;
}

async function prepare(context: Context, what: Reading, leftovers: Leftovers): Promise<Prepared | null> {
  const directory = path.join(context.paths.run, `${PIPES}${context.token}-${what.n}`);
  leftovers.add(directory, () => rm(directory, { recursive: true, force: true }));
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const pipe = path.join(directory, PIPE);
  const container = scratchName(what.stack, "reader", `${context.token}-${what.n}`);
  if (!(await makePipe(pipe))) return null;
  leftovers.add(container, () => removeContainer(container));
  const created = await create(context, container, what, directory).catch(() => null);
  return created === null ? null : { container, pipe };
}

/** Removes the pipes that dead runs left. */
export async function sweepPipes(context: Pick<Context, "paths">): Promise<void> {
  const names = (await directoryNames(context.paths.run)).filter((name) => name.startsWith(PIPES));
  for (const name of names) await rm(path.join(context.paths.run, name), { recursive: true, force: true });
}

async function makePipe(file: string): Promise<boolean> {
  const made = spawn("mkfifo", ["-m", "600", file], { stdio: "ignore" });
  return new Promise((resolve) => made.once("error", () => resolve(false)).once("exit", (code) => resolve(code === 0)));
}

function create(context: Context, name: string, { stack, volume, image, script }: Reading, directory: string): Promise<unknown> {
  return dockerCall(`create container ${name}`, (client, abortSignal) =>
    client.createContainer({
      name,
      Image: image,
      User: "0:0",
      Entrypoint: ["sh", "-c", script],
      Cmd: [],
      Env: ["LC_ALL=C"],
      Healthcheck: { Test: ["NONE"] },
      NetworkDisabled: true,
      Labels: labels({ stack, role: "scratch", run: context.run }),
      HostConfig: {
        Mounts: [readOnlyVolume(volume, ROOT), { Type: "bind", Source: directory, Target: OUT }],
        NetworkMode: "none",
        Memory: MEMORY,
        MemorySwap: MEMORY,
        CpuShares: CPU_SHARES,
        SecurityOpt: ["no-new-privileges:true"],
      },
      abortSignal,
    }),
  );
}

async function read(context: Context, { container, pipe }: Prepared): Promise<TarSource | null> {
  const stream = new Socket({ fd: openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  const ending = runInto(pipe, context, container);
  // Also when tar has ended: then with nothing.
  await once(stream, "readable", { signal: context.signal }).catch(() => undefined);
  if (stream.readableLength > 0) return { stream, base: ".", assertMade: () => assertMade(ending, container) };
  stream.destroy();
  throwIfEnded(context.signal);
  return null;
}

/** Runs a container to its end. As long as nobody has a pipe open for writing, it is at its end: until tar has begun, that is us. */
function runInto(pipe: string, context: Context, container: string): Promise<number> {
  const held = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const ending = run(context, container).finally(() => closeSync(held));
  // Told by whoever waits for it.
  ending.catch(() => undefined);
  return ending;
}

/** @returns tar's exit code */
async function run(context: Context, name: string): Promise<number> {
  await dockerCall(`start container ${name}`, (client, abortSignal) => client.getContainer(name).start({ abortSignal }));
  const ended: unknown = await dockerCall(`wait for container ${name}`, (client, abortSignal) => client.getContainer(name).wait({ abortSignal }), context.remaining());
  return exited.parse(ended).StatusCode;
}

async function assertMade(ending: Promise<number>, container: string): Promise<void> {
  const code = await ending;
  // A line for each file, in a message of one.
  const said = (await logTail(container, 5)).trim().replace(/\s*\n\s*/g, "; ");
  // It would keep the volume from being removed.
  await removeContainer(container);
  if (!WHOLE.includes(code) || said !== "") throw new TarError(said === "" ? `tar ended with code ${code}` : said);
}
