import { Transform, type TransformCallback } from "node:stream";
import { asError } from "../runtime/errors.js";
import { TarContents } from "./tar-contents.js";
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
  /** Devices, pipes and links to outside, left out. */
  leftOut = 0;

  private readonly base: Buffer;
  private readonly scanner = new TarScanner({ entry: (entry) => this.entry(entry), body: (part) => this.body(part), end: (block) => this.push(block) });
  /** Paths of what was left out: a hard link to it is left out as well. */
  private readonly missing = new Set<string>();
  private readonly passed: TarContents;

  constructor(base: string, observer?: TarObserver) {
    super();
    this.base = Buffer.from(base);
    this.passed = new TarContents(observer);
  }

  /** Regular files and hard links passed on. */
  get files(): number {
    return this.passed.files;
  }

  /** Bytes of regular files' content. */
  get bytes(): number {
    return this.passed.bytes;
  }

  /** Bytes that the content takes on a disk, where zeros are holes. */
  get stored(): number {
    return this.passed.stored;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.scanner.consume(chunk);
    } catch (error) {
      return done(asError(error));
    }
    const waiting = this.passed.takeWaiting();
    if (waiting === undefined) done();
    else waiting.then(() => done(), done);
  }

  override _flush(done: TransformCallback): void {
    try {
      this.scanner.assertWhole();
      done();
    } catch (error) {
      done(asError(error));
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
    this.passed.entry({ header: named, pax: pax === null ? null : { header: pax.header, records }, type, size });
  }

  private body(part: Buffer): void {
    this.push(part);
    this.passed.body(part);
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
