import { Transform, type TransformCallback } from "node:stream";
import { padding, rebaseHeader, rebaseLink, rebasePath, resized, TarError } from "./tar-header.js";
import type { TarObserver } from "./tar-observer.js";
import { encodePax, type PaxRecord } from "./tar-pax.js";
import { climbOf, depthOf, entryPath, entryTarget, insidePath } from "./tar-path.js";
import { type TarEntry, TarScanner } from "./tar-scan.js";

/**
 * Docker names the entries of a directory's archive by that directory (`storage/a`); this makes them relative to it (`./a`),
 * so that they unpack into the root of a volume. Streams with one block of memory. Owners, modes, times and the bytes of
 * names stay. Devices, pipes and symbolic links that lead out of the directory are left out and counted: no restore should
 * make them.
 * Fails on a stream that is damaged or has no end: Docker ends an archive early, without an error, when a file shrinks.
 */
export class TarRebase extends Transform {
  /** Regular files and hard links passed on. */
  files = 0;
  /** Bytes of regular files' content. */
  bytes = 0;
  /** Devices, pipes and links to outside, left out. */
  leftOut = 0;

  private readonly base: Buffer;
  private readonly scanner = new TarScanner({ entry: (entry) => this.entry(entry), body: (part) => this.body(part), end: (block) => this.push(block) });
  /** Paths of what was left out: a hard link to it is left out as well. */
  private readonly missing = new Set<string>();
  /** Bytes of the present file's content that are still to come; padding follows them. */
  private content = 0;
  /** What the observer wants to be waited for. */
  private waiting: Promise<void> | undefined;

  constructor(base: string, private readonly observer?: TarObserver) {
    super();
    this.base = Buffer.from(base);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.scanner.consume(chunk);
    } catch (error) {
      return done(error instanceof Error ? error : new TarError(String(error)));
    }
    if (this.waiting === undefined) return done();
    this.waiting.then(() => done(), done);
    this.waiting = undefined;
  }

  override _flush(done: TransformCallback): void {
    try {
      this.scanner.assertWhole();
      done();
    } catch (error) {
      done(error instanceof Error ? error : new TarError(String(error)));
    }
  }

  private entry(entry: TarEntry): void {
    const { header, type, pax, size } = entry;
    if (this.isLeftOut(entry)) {
      this.leftOut += 1;
      this.missing.add(entryPath(entry).toString("latin1"));
      return;
    }
    const records = this.rebased(pax?.records ?? [], type === "hardlink");
    const named = this.named(header, records, type === "hardlink");
    if (pax !== null) this.pushPax(pax.header, records);
    this.push(named);
    this.bytes += size;
    if (type === "file" || type === "hardlink") this.files += 1;
    const seen = { header: named, pax: pax === null ? null : { header: pax.header, records }, type, size };
    this.observer?.begin({ type, size, path: entryPath(seen), link: entryTarget(seen) });
    this.content = size;
    if (size === 0) this.ended();
  }

  private body(part: Buffer): void {
    this.push(part);
    if (this.content === 0 || this.observer === undefined) return;
    const content = part.subarray(0, this.content);
    this.observer.content(content);
    this.content -= content.length;
    if (this.content === 0) this.ended();
  }

  private ended(): void {
    this.waiting = this.observer?.end() ?? this.waiting;
  }

  private isLeftOut(entry: TarEntry): boolean {
    if (entry.type === "device" || entry.type === "fifo") return true;
    if (entry.type === "hardlink") return this.missing.has(entryTarget(entry).toString("latin1"));
    if (entry.type !== "symlink") return false;
    const [climb, path] = [climbOf(entryTarget(entry)), insidePath(rebasePath(entryPath(entry), this.base) ?? Buffer.from("."))];
    return climb === null || climb > depthOf(path ?? "");
  }

  /** A name that has a pax record is a shortened copy here, kept as it is where it was cut within the base. */
  private named(header: Buffer, records: PaxRecord[], hardlink: boolean): Buffer {
    const has = (key: string): boolean => records.some((record) => record.key === key);
    const named = rebaseHeader(header, this.base) ?? (has("path") ? header : null);
    if (named === null) throw new TarError("the archive has an entry outside its directory");
    if (!hardlink) return named;
    const linked = rebaseLink(named, this.base) ?? (has("linkpath") ? named : null);
    if (linked === null) throw new TarError("the archive has a link to outside its directory");
    return linked;
  }

  private rebased(records: PaxRecord[], hardlink: boolean): PaxRecord[] {
    return records.map((record) => {
      if (record.key !== "path" && !(hardlink && record.key === "linkpath")) return record;
      const value = rebasePath(record.value, this.base);
      if (value === null) throw new TarError("the archive has an entry outside its directory");
      return { key: record.key, value };
    });
  }

  private pushPax(header: Buffer, records: PaxRecord[]): void {
    const body = Buffer.concat(records.map(encodePax));
    this.push(resized(header, body.length));
    this.push(body);
    this.push(Buffer.alloc(padding(body.length)));
  }
}
