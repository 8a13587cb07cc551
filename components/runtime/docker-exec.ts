/** Commands, files and logs of containers. */
import { readFileSync } from "node:fs";
import { PassThrough, type Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { finished, pipeline } from "node:stream/promises";
import { extract, pack } from "tar-stream";
import { docker, dockerCall, dockerCallOrNull, inspect } from "./docker.js";
import { errors, ReleaseError } from "./errors.js";

export interface ExecOptions {
  /** Milliseconds until it is given up and killed. */
  timeoutMs: number;
  stdin?: string | Buffer;
  /** As `docker exec -u`. */
  user?: string;
  /** `KEY=value`. Visible in `docker inspect` of the exec: not for secrets, which go through stdin. */
  env?: string[];
  /** Bytes kept of each of stdout and stderr; what is beyond is read and dropped. Default 16 MiB. */
  maxBytes?: number;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

const MAX_OUTPUT = 16 * 1024 * 1024;

/**
 * Runs a command in a running container.
 * @throws ReleaseError execTimeout when it runs too long; a failing command is no error: see its exit code
 */
export async function execIn(container: string, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const command = argv.join(" ").slice(0, 120);
  const what = `run "${command}" in container ${container}`;
  const exec = await dockerCall(what, (client, abortSignal) =>
    client.getContainer(container).exec({
      Cmd: [...argv],
      AttachStdin: options.stdin !== undefined,
      AttachStdout: true,
      AttachStderr: true,
      abortSignal,
      ...(options.user === undefined ? {} : { User: options.user }),
      ...(options.env === undefined ? {} : { Env: options.env }),
    }),
  );
  try {
    const output = await dockerCall(what, (_client, signal) => converse(exec, options, signal), options.timeoutMs);
    const { ExitCode } = await dockerCall(what, (_client, abortSignal) => exec.inspect({ abortSignal }));
    // A daemon that died in between says null: no success can be read from that.
    return { ...output, exitCode: ExitCode ?? -1 };
  } catch (error) {
    if (error instanceof ReleaseError && error.code === "dockerTimeout") {
      throw errors.execTimeout({ container, command, ms: options.timeoutMs, killed: await killExec(container, exec) }, error);
    }
    throw error;
  }
}

type Exec = Awaited<ReturnType<ReturnType<ReturnType<typeof docker>["getContainer"]>["exec"]>>;

async function converse(exec: Exec, options: ExecOptions, signal: AbortSignal): Promise<{ stdout: string; stderr: string }> {
  const hijack = options.stdin !== undefined;
  // Only a hijacked connection can be half-closed, which is how the command sees the end of its stdin.
  const stream = await exec.start({ hijack, stdin: hijack, abortSignal: signal });
  signal.addEventListener("abort", () => stream.destroy(), { once: true });
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  docker().modem.demuxStream(stream, stdout, stderr);
  const texts = Promise.all([collect(stdout, options.maxBytes), collect(stderr, options.maxBytes)]);
  if (options.stdin !== undefined) {
    stream.end(options.stdin);
  }
  await finished(stream, { writable: false });
  stdout.end();
  stderr.end();
  const [out, err] = await texts;
  return { stdout: out, stderr: err };
}

async function collect(stream: Readable, max: number = MAX_OUTPUT): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (size < max) {
      chunks.push(chunk.subarray(0, max - size));
    }
    size += chunk.length;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Docker has no call to end an exec; its process is one of this host's, which its cgroup proves.
 * @returns whether it was killed
 */
async function killExec(container: string, exec: Exec): Promise<boolean> {
  try {
    const { Pid: pid, Running: running } = await dockerCall("inspect exec", (_client, abortSignal) => exec.inspect({ abortSignal }), 5000);
    const { Id: id } = await inspect(container);
    return running && signalFromHost(pid, id, "SIGKILL");
  } catch {
    // A remote daemon, or gone meanwhile: the caller's error says that it may still run.
    return false;
  }
}

/**
 * Signals a process of a container without Docker. It is one of this host's, which its cgroup proves; not where Docker runs in a machine of
 * its own, and a user who is not root may not.
 * @param pid as Docker tells it
 * @param id of the container, whole
 * @returns whether it was signalled
 */
export function signalFromHost(pid: number, id: string, signal: NodeJS.Signals): boolean {
  try {
    if (!runsHere(pid, id)) {
      return false;
    }
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether a container's process is one of this host's, which its cgroup proves. @param pid as Docker tells it @param id of the container, whole */
export function runsHere(pid: number, id: string): boolean {
  try {
    return pid > 1 && readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(id);
  } catch {
    // No such process here, or one that may not be looked at.
    return false;
  }
}

export interface ContainerFile {
  /** Relative to the directory. */
  name: string;
  content: string | Buffer;
  /** Default 0644. */
  mode?: number;
  /** Default 0. */
  uid?: number;
  gid?: number;
}

/** Writes files into an existing directory of a container, running or not. Not atomic: rename in the container for that. */
export async function putFiles(container: string, dir: string, files: readonly ContainerFile[]): Promise<void> {
  const archive = pack();
  for (const file of files) {
    archive.entry({ name: file.name, mode: file.mode ?? 0o644, uid: file.uid ?? 0, gid: file.gid ?? 0, mtime: new Date() }, file.content);
  }
  archive.finalize();
  const body = await buffer(archive);
  await dockerCall(`write into ${dir} of container ${container}`, (client, abortSignal) => client.getContainer(container).putArchive(body, { path: dir, abortSignal }));
}

/** Content of a file in a container, running or not; null if the container or the file is not there, or it is no regular file. */
export async function readFile(container: string, path: string): Promise<string | null> {
  const what = `read ${path} of container ${container}`;
  return dockerCallOrNull(what, async (client, abortSignal) => {
    const stream = await client.getContainer(container).getArchive({ path, abortSignal });
    const reader = extract();
    const copied = pipeline(stream, reader);
    let content: string | null = null;
    let entries = 0;
    for await (const entry of reader) {
      entries += 1;
      // A directory comes with all that is in it, itself first.
      if (entries === 1 && entry.header.type === "file") {
        content = (await buffer(entry)).toString("utf8");
      } else {
        entry.resume();
      }
    }
    await copied;
    return content;
  });
}

/** The last lines that a container wrote to stdout and stderr, in order; "" if it is not there. */
export async function logTail(container: string, lines: number): Promise<string> {
  const info = await dockerCallOrNull(`inspect container ${container}`, (client, abortSignal) => client.getContainer(container).inspect({ abortSignal }));
  if (info === null) {
    return "";
  }
  const raw = await dockerCallOrNull(`read the log of container ${container}`, (client, abortSignal) =>
    client.getContainer(container).logs({ stdout: true, stderr: true, tail: lines, follow: false, abortSignal }),
  );
  if (raw === null) {
    return "";
  }
  return (info.Config.Tty ? raw : demultiplex(raw)).toString("utf8");
}

/** Joins the payloads of Docker's stream frames: 1 byte of stream, 3 of nothing, 4 of length (big-endian). */
export function demultiplex(raw: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= raw.length; ) {
    const length = raw.readUInt32BE(at + 4);
    parts.push(raw.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}
