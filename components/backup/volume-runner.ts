import { spawn } from "node:child_process";
import { constants } from "node:os";
import { z } from "zod";
import { dockerCall, removeContainer } from "../runtime/docker.js";
import { logTail } from "../runtime/docker-exec.js";
import { messageOf } from "../runtime/errors.js";
import { labels } from "../runtime/labels.js";
import { toolContainer, volumeMount } from "../runtime/tool-container.js";
import type { Context, Leftovers } from "./context.js";
import { scratchName } from "./names.js";
import { fileOf, type Pipe } from "./pipe.js";

const ROOT = "/pbjrag/volume";
const OUT = "/pbjrag/out";
/** Of what a script says, its end, in characters. */
const SAID = 2000;

export interface Reading {
  stack: string;
  volume: string;
  /** Where this host has it, if it is to be read there; see {@link hostDirectory}. */
  directory: string | null;
  /** For a container that reads it. */
  image: string;
  /** Tells several of one run apart. */
  n: string;
  /** For a shell: reads the directory `$1`, and writes to the file `$2`. */
  script: string;
}

/** Runs a reading's script, once. */
export interface Runner {
  /** To its end. @returns its exit code, as a shell gives it */
  run(): Promise<number>;
  /** What it said beside, once it has ended; lines without an order are none. */
  said(): Promise<string>;
  /** What is left of it, if anything, goes. */
  remove(): Promise<unknown>;
}

/** A shell that ends with this process, where the system knows how: whoever killed it would leave a tar that reads on. */
const BOUND = `run() { exec "$@" sh -c "$0" sh "$directory" "$pipe"; }; directory=$1 pipe=$2; if command -v setpriv >/dev/null; then run setpriv --pdeathsig KILL; else run; fi`;

/** By a child of this process, at its weight. */
export function onHost(context: Context, { script }: Pick<Reading, "script">, directory: string, pipe: Pipe, leftovers: Leftovers): Runner {
  let said = "";
  let stop = (): void => undefined;
  const remove = (): Promise<void> => Promise.resolve(stop());
  leftovers.add(`reading ${directory}`, remove);
  return {
    run: () =>
      new Promise((resolve, reject) => {
        const child = spawn("sh", ["-c", BOUND, script, directory, fileOf(pipe)], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, LC_ALL: "C" } });
        stop = () => void child.kill("SIGKILL");
        context.signal.addEventListener("abort", stop, { once: true });
        child.stderr.setEncoding("utf8").on("data", (text: string) => (said = `${said}${text}`.slice(-SAID)));
        child.once("error", (error) => reject(new Error(`no shell: ${messageOf(error)}`)));
        child.once("close", (code, signal) => {
          context.signal.removeEventListener("abort", stop);
          resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
        });
      }),
    said: () => Promise.resolve(said),
    remove,
  };
}

const exited = z.object({ StatusCode: z.number() });

/** By a container of its own. Null where it cannot be made: its image is not here, or this host's files are not Docker's. */
export async function inContainer(context: Context, reading: Reading, pipe: Pipe, leftovers: Leftovers): Promise<Runner | null> {
  const name = scratchName(reading.stack, "reader", `${context.token}-${reading.n}`);
  leftovers.add(name, () => removeContainer(name));
  const created = await create(context, name, reading, pipe).catch(() => null);
  if (created === null) return null;
  return {
    run: async () => {
      await dockerCall(`start container ${name}`, (client, abortSignal) => client.getContainer(name).start({ abortSignal }));
      const ended: unknown = await dockerCall(`wait for container ${name}`, (client, abortSignal) => client.getContainer(name).wait({ abortSignal }), context.remaining());
      return exited.parse(ended).StatusCode;
    },
    said: () => logTail(name, 5),
    remove: () => removeContainer(name),
  };
}

function create(context: Context, name: string, { stack, volume, image, script }: Reading, pipe: Pipe): Promise<unknown> {
  return dockerCall(`create container ${name}`, (client, abortSignal) =>
    client.createContainer({
      ...toolContainer(image, { script, args: ["sh", ROOT, `${OUT}/${pipe.name}`] }, [volumeMount(volume, ROOT, true), { Type: "bind", Source: pipe.directory, Target: OUT }]),
      name,
      Env: ["LC_ALL=C"],
      Labels: labels({ stack, role: "scratch", run: context.run }),
      abortSignal,
    }),
  );
}
