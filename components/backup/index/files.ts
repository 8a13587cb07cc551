import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SeenEntry, TarObserver } from "../tar-observer.js";
import { TarRebase } from "../tar-rebase.js";
import type { FileEntry } from "./format.js";
import { pathText } from "./paths.js";

/** Hashes the files of an archive as it streams by, and tells each one once its last byte has passed. */
export class FileHasher implements TarObserver {
  private hash: Hash | null = null;
  private current: SeenEntry | null = null;

  /** @param tell may give a promise: the archive waits for it */
  constructor(private readonly tell: (entry: FileEntry) => Promise<void> | undefined) {}

  begin(entry: SeenEntry): void {
    this.current = entry;
    this.hash = entry.type === "file" ? createHash("sha256") : null;
  }

  content(chunk: Buffer): void {
    this.hash?.update(chunk);
  }

  end(): Promise<void> | undefined {
    const entry = this.current;
    if (entry === null) return undefined;
    const path = pathText(relative(entry.path));
    if (this.hash !== null) return this.tell({ type: "file", path, size: entry.size, content: this.hash.digest("hex") });
    if (entry.type === "hardlink") return this.tell({ type: "file", path, size: 0, content: `hardlink:${pathText(relative(entry.link))}` });
    if (entry.type === "symlink") return this.tell({ type: "file", path, size: 0, content: `symlink:${pathText(entry.link)}` });
    return undefined;
  }
}

/** `./a/b` -> `a/b`. */
function relative(path: Buffer): Buffer {
  return path[0] === 0x2e && path[1] === 0x2f ? path.subarray(2) : path;
}

/** The files of Docker's archive of a directory called `base`. Reads the archive to its end. */
export async function* fileEntries(archive: Readable, base: string): AsyncGenerator<FileEntry> {
  const found: FileEntry[] = [];
  const rebase = new TarRebase(base, new FileHasher((entry) => void found.push(entry)));
  const reading = pipeline(archive, rebase);
  // Told to whoever waits for the next chunk as well.
  reading.catch(() => undefined);
  const chunks: AsyncIterator<unknown> = rebase[Symbol.asyncIterator]();
  try {
    while ((await chunks.next()).done !== true) yield* found.splice(0);
    await reading;
    yield* found.splice(0);
  } finally {
    // Whoever takes no more lets the archive go.
    archive.destroy();
    rebase.destroy();
  }
}
