import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { codeOf } from "../runtime/errors.js";
import { fileOf, type Pipe } from "./pipe.js";
import { TarError } from "./tar-header.js";
import type { Runner } from "./volume-runner.js";

const digAll = `find . -xdev -type f -size +127 -exec sh -c 'for file; do time=$(date -r "$file" +@%s.%N); fallocate --dig-holes "$file" 2>/dev/null && touch --no-create --date="$time" "$file"; done' sh {} +`;

/** For a shell: makes holes of what is zeros in the files of the directory `$1`, which nobody may write to meanwhile. Reads all of them. */
export const DIG = `cd "$1" && ${digAll}`;

/**
 * For a shell: unpacks the tar that comes from the pipe `$2` into the directory `$1`, and makes holes of what is zeros in its files.
 *
 * An archive holds a sparse file with all its zeros, since not every tar knows of holes: busybox' tar 1.35 (that of the `alpine` image) unpacks GNU tar's
 * sparse entries to other names and contents with exit code 0 (`--format=pax`), or refuses them (`--format=gnu`). Qdrant preallocates 32 MiB for a
 * few points (1.19.0), so a volume unpacked as it is would take hundreds of times the room.
 *
 * tar reads no further than the archive's end mark, and whoever writes has zeros behind it: they are read as well. GNU tar names each entry as it begins it: the one before is complete then. Files from 64 KiB on are worth a process. A hole is a change for
 * the system, so the time is set again. A name that a line cannot hold as it is has all files of the volume looked at in the end. File systems that know no holes
 * keep the zeros, as where there is no `fallocate` (util-linux).
 */
export const UNTAR = [
  'directory=$1; tar --version 2>/dev/null | grep -q GNU || exit 127; exec <"$2"; cd "$directory" || exit 1; export TZ=UTC0 LC_ALL=C; exec 5>&1; last=; odd=',
  "if command -v fallocate >/dev/null; then able=1; else able=; fi",
  'dig() { fallocate --dig-holes "./$1" 2>/dev/null && touch --no-create --date="$2" "./$1"; }',
  'dug() { if [ -z "$last" ]; then return; fi; if [ -f "./$last" ] && [ ! -L "./$last" ]; then dig "$last" "$time"; else odd=1; fi; last=; }',
  'list() { while read -r mode owner size day clock name; do dug; case $mode in -*) if [ -n "$able" ] && [ "$size" -ge 65536 ]; then last=$name time="$day $clock"; fi ;; esac; done; dug',
  `if [ -n "$odd" ]; then ${digAll}; fi; return 0; }`,
  "code=$({ { tar --extract --file=- --numeric-owner --same-owner --preserve-permissions --warning=none --full-time --quoting-style=escape -vv 4>&- 5>&-; code=$?; echo $code >&4; if [ $code = 0 ]; then cat >/dev/null; fi; } | list >&5; } 4>&1)",
  'exit "${code:-1}"',
].join("\n");

/** Milliseconds until a pipe is tried again that nobody has opened. */
const POLL_MS = 20;

/**
 * Lets a runner of {@link UNTAR} unpack a tar.
 * @returns false, and nothing of the tar is used up, where the runner ended before it began: it has no GNU tar, or does not see this host's files
 * @throws TarError with what tar says; the tar's own errors
 */
export async function untarInto(pipe: Pipe, runner: Runner, archive: Readable, signal: AbortSignal): Promise<boolean> {
  let over = false;
  const ending = runner.run().finally(() => (over = true));
  // Told by whoever waits for it.
  ending.catch(() => undefined);
  const fd = await openWriter(fileOf(pipe), () => over, signal);
  if (fd === null) {
    await runner.remove();
    return false;
  }
  const into = new Socket({ fd, readable: false, writable: true });
  // A tar that ends early closes its end; a stream that fails leaves a tar that was cut, which says so.
  const [written, ended] = await Promise.allSettled([pipeline(archive, into, { signal }), ending]);
  signal.throwIfAborted();
  const said = (await runner.said()).trim().replace(/\s*\n\s*/g, "; ");
  await runner.remove();
  if (ended.status === "rejected") throw ended.reason;
  if (written.status === "rejected" && !BROKEN.includes(codeOf(written.reason) ?? "")) throw written.reason;
  if (ended.value !== 0 || written.status === "rejected") throw new TarError(said === "" ? `tar ended with code ${ended.value}` : said);
  return true;
}

/** What a stream says whose other end is gone. */
const BROKEN = ["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE"];

/** Null when it is over and nobody has opened the pipe. */
async function openWriter(file: string, over: () => boolean, signal: AbortSignal): Promise<number | null> {
  for (;;) {
    // Asked beforehand: who opened it until then is there.
    const last = over();
    try {
      return openSync(file, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (codeOf(error) !== "ENXIO") throw error;
    }
    if (last) return null;
    await delay(POLL_MS, undefined, { signal });
  }
}
