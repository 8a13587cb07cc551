import { Transform, type TransformCallback } from "node:stream";
import {
  assertChecksum,
  BLOCK,
  isZero,
  padding,
  rebaseHeader,
  rebaseLink,
  rebasePath,
  resized,
  sizeOf,
  TarError,
  typeOf,
} from "./tar-header.js";

/** Pax records are a path and a few numbers; more than this is no archive of Docker's. */
const MAX_PAX = 1024 * 1024;

interface PaxRecord {
  key: string;
  value: Buffer;
}

/**
 * Docker names the entries of a directory's archive by that directory (`storage/a`); this makes them relative to it (`./a`),
 * so that they unpack into the root of a volume. Streams with one block of memory. Owners, modes, times and the bytes of
 * names stay. Devices and pipes are left out and counted: no restore should make them.
 * Fails on a stream that is damaged or has no end: Docker ends an archive early, without an error, when a file shrinks.
 */
export class TarRebase extends Transform {
  /** Regular files and hard links passed on. */
  files = 0;
  /** Bytes of regular files' content. */
  bytes = 0;
  /** Devices and pipes left out. */
  leftOut = 0;

  private readonly base: Buffer;
  private held: Buffer[] = [];
  private heldLength = 0;
  /** Bytes of the present body, padding included, still to pass on. */
  private passing = 0;
  /** The pax header that is being read, its body's size known. */
  private pax: { header: Buffer; size: number; records: PaxRecord[] | null } | null = null;
  private zeroBlocks = 0;

  constructor(base: string) {
    super();
    this.base = Buffer.from(base);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.consume(chunk);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new TarError(String(error)));
    }
  }

  override _flush(done: TransformCallback): void {
    const whole = this.zeroBlocks >= 2 && this.heldLength === 0 && this.passing === 0;
    done(whole ? null : new TarError("the archive ended before its end: a file shrank while it was read, or the stream was cut"));
  }

  private consume(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.passing > 0) {
        const part = rest.subarray(0, this.passing);
        this.push(part);
        this.passing -= part.length;
        rest = rest.subarray(part.length);
        continue;
      }
      const wanted = this.pax?.records === null ? this.pax.size + padding(this.pax.size) : BLOCK;
      const part = rest.subarray(0, wanted - this.heldLength);
      this.held.push(part);
      this.heldLength += part.length;
      rest = rest.subarray(part.length);
      if (this.heldLength === wanted) this.block(this.release());
    }
  }

  private release(): Buffer {
    const block = Buffer.concat(this.held);
    this.held = [];
    this.heldLength = 0;
    return block;
  }

  private block(block: Buffer): void {
    if (this.pax?.records === null) this.pax.records = parsePax(block.subarray(0, this.pax.size));
    else if (isZero(block)) this.trailer(block);
    else this.header(block);
  }

  private trailer(block: Buffer): void {
    this.zeroBlocks += 1;
    this.push(block);
  }

  private header(header: Buffer): void {
    if (this.zeroBlocks > 0) throw new TarError("the archive goes on after its end");
    assertChecksum(header);
    const type = typeOf(header);
    if (type === "unknown") throw new TarError("the archive has an entry of an unknown kind");
    if (type === "pax") return this.paxHeader(header);
    const pax = this.pax;
    this.pax = null;
    if (type === "device" || type === "fifo") {
      this.leftOut += 1;
      return;
    }
    const records = pax?.records ?? [];
    if (pax !== null) this.pushPax(pax.header, this.rebased(records, type === "hardlink"));
    this.push(this.named(header, records, type === "hardlink"));
    // Links and directories have no body, whatever their size field says.
    const size = type === "file" ? paxSize(records) ?? sizeOf(header) : 0;
    this.passing = size + padding(size);
    if (type === "file") this.bytes += size;
    if (type === "file" || type === "hardlink") this.files += 1;
  }

  private paxHeader(header: Buffer): void {
    const size = sizeOf(header);
    if (this.pax !== null || size === 0 || size > MAX_PAX) throw new TarError("the archive has a pax header out of place");
    this.pax = { header, size, records: null };
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

/** Records are `<length> <key>=<value>\n`, the length counting itself. */
function parsePax(body: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number.parseInt(body.subarray(at, space).toString("latin1"), 10);
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (space === -1 || !(length > 0) || at + length > body.length || equals <= 0) throw new TarError("a pax header is damaged");
    records.push({ key: record.subarray(0, equals).toString("utf8"), value: record.subarray(equals + 1) });
    at += length;
  }
  return records;
}

function encodePax({ key, value }: PaxRecord): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function paxSize(records: PaxRecord[]): number | undefined {
  const record = records.find((candidate) => candidate.key === "size");
  return record === undefined ? undefined : Number.parseInt(record.value.toString("latin1"), 10);
}
