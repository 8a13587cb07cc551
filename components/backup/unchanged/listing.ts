import { createHash } from "node:crypto";
import type { Manifest } from "../manifest.js";

/** What a volume's listing comes to; see the manifest. */
export type Listing = NonNullable<Manifest["uploads"]["listing"]>;

/**
 * Seconds by which the newest change must be older than a listing that is relied on: file systems keep times to the second, and
 * what is written within the one in which it was listed could get the same time again.
 */
const SETTLED_S = 2;

/** Those whose every change of a file's content, through a mapped page too, gives it another ctime. */
const HONEST = new Set(["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs"]);

/**
 * A reading's script. It prints, each ended by a zero byte, the time before anything else (whoever writes from now on is newer), the
 * boot, and three fields for each entry. Written pages are synced first: a page that is mapped and dirty already can be written again without
 * a new ctime, until it was written to the disk.
 */
export const LISTING = [
  `cd "$1" && t=$(date +%s.%N) && b=$(cat /proc/sys/kernel/random/boot_id) && sync -f . || exit 9`,
  `{ printf '%s\\0%s\\0' "$t" "$b" && exec find . -printf '%p\\0%y %s %T@ %C@ %i %n %U %G %m %D %F\\0%l\\0'; } >"$2"`,
].join("\n");

/**
 * Reads what the script prints. Memory does not grow with the volume.
 * @returns null where the file system's times cannot be relied on
 * @throws Error for anything else than what the script prints
 */
export async function readListing(output: AsyncIterable<Buffer>, volumeCreated: string): Promise<Listing | null> {
  const hash = createHash("sha256");
  let [place, takenAt, newest, honest] = [0, NaN, 0, true];
  for await (const field of fields(output)) {
    // Another boot makes another listing: after a power failure a file can have new content and its old times.
    if (place > 0) hash.update(field).update("\0");
    if (place === 0) takenAt = seconds(field.toString());
    else if (place > 1 && place % 3 === 0) {
      const [, , mtime = "", ctime = "", , , , , , , system = ""] = field.toString().split(" ");
      newest = Math.max(newest, seconds(mtime), seconds(ctime));
      honest &&= HONEST.has(system);
    }
    place += 1;
  }
  // The directory itself is always there.
  if (place < 5 || place % 3 !== 2) throw new Error("the listing is cut");
  return honest ? { digest: hash.digest("hex"), takenAt, newest, volumeCreated } : null;
}

/**
 * Whether no file changed between two listings: the same names, sizes, times, inodes, owners and modes, of the same volume, in
 * the same boot. The newest change must have been settled at the first one, and the clock must have gone on. Pure.
 */
export function isUnchanged(then: Listing | null, now: Listing | null): boolean {
  if (then === null || now === null) return false;
  const same = then.digest === now.digest && then.volumeCreated === now.volumeCreated && then.volumeCreated !== "";
  return same && then.newest <= then.takenAt - SETTLED_S && now.takenAt > then.takenAt;
}

/** Negative before 1970: archives that users unpack have such files. */
function seconds(text: string): number {
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(`the listing has ${JSON.stringify(text.slice(0, 40))} for a time`);
  return Number(text);
}

/** Cut at each zero byte. */
async function* fields(output: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let held: Buffer[] = [];
  for await (const chunk of output) {
    let from = 0;
    for (let at = chunk.indexOf(0); at !== -1; at = chunk.indexOf(0, from)) {
      yield Buffer.concat([...held, chunk.subarray(from, at)]);
      held = [];
      from = at + 1;
    }
    if (from < chunk.length) held.push(chunk.subarray(from));
  }
  if (held.length > 0) throw new Error("the listing is cut");
}
