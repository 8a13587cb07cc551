import { assertChecksum, BLOCK, CutTarError, isZero, NoTarError, padding, sizeOf, TarError, type TarType, typeOf } from "./tar-header.js";
import { MAX_PAX, parsePax, paxSize, type PaxRecord } from "./tar-pax.js";

/** One entry's header; what a pax header before it says goes before what is in it. */
export interface TarEntry {
  header: Buffer;
  type: TarType;
  /** The pax header's own block and its records; null where there was none. */
  pax: { header: Buffer; records: PaxRecord[] } | null;
  /** Bytes of its body, without padding. Links and directories have none, whatever their size field says. */
  size: number;
}

/** What is told of a tar stream, in its order. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** A piece of an entry's body or of its padding. */
  body(part: Buffer): void;
  /** A block of zeros: two of them end the archive. */
  end(block: Buffer): void;
}

/**
 * Reads a tar stream from pieces of any size, with one block of memory. Forms: POSIX ustar with pax records.
 * Every method throws TarError for a stream that is damaged.
 */
export class TarScanner {
  private held: Buffer[] = [];
  private heldLength = 0;
  /** Bytes of the present body, padding included, still to pass on. */
  private passing = 0;
  /** The pax header that is being read (`records` null) or that belongs to the next entry. */
  private pax: { header: Buffer; size: number; records: PaxRecord[] | null } | null = null;
  private zeroBlocks = 0;
  private begun = false;

  constructor(private readonly sink: TarSink) {}

  consume(chunk: Buffer): void {
    this.begun ||= chunk.length > 0;
    let rest = chunk;
    while (rest.length > 0) {
      if (this.passing > 0) {
        const part = rest.subarray(0, this.passing);
        this.sink.body(part);
        this.passing -= part.length;
        rest = rest.subarray(part.length);
        continue;
      }
      const wanted = this.pax?.records === null ? this.pax.size + padding(this.pax.size) : BLOCK;
      const part = rest.subarray(0, wanted - this.heldLength);
      // What is held longer than a piece is good must be a copy of it.
      this.held.push(part.length === wanted ? part : Buffer.from(part));
      this.heldLength += part.length;
      rest = rest.subarray(part.length);
      if (this.heldLength === wanted) this.block(this.release());
    }
  }

  /** To be called when the stream is over: Docker ends an archive early, without an error, when a file shrinks. */
  assertWhole(): void {
    if (this.zeroBlocks >= 2 && this.heldLength === 0 && this.passing === 0) return;
    if (!this.begun) throw new NoTarError("the archive has not even a beginning");
    throw new CutTarError("the archive ended before its end: a file shrank while it was read, or the stream was cut");
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
    if (this.pax !== null) throw new TarError("the archive ends after a pax header");
    this.zeroBlocks += 1;
    this.sink.end(block);
  }

  private header(header: Buffer): void {
    if (this.zeroBlocks > 0) throw new TarError("the archive goes on after its end");
    assertChecksum(header);
    const type = typeOf(header);
    if (type === "unknown") throw new TarError("the archive has an entry of an unknown kind");
    if (type === "pax") return this.paxHeader(header);
    const records = this.pax?.records ?? [];
    const pax = this.pax === null ? null : { header: this.pax.header, records };
    this.pax = null;
    const size = type === "file" ? paxSize(records) ?? sizeOf(header) : 0;
    this.passing = size + padding(size);
    this.sink.entry({ header, type, pax, size });
  }

  private paxHeader(header: Buffer): void {
    const size = sizeOf(header);
    if (this.pax !== null || size === 0 || size > MAX_PAX) throw new TarError("the archive has a pax header out of place");
    this.pax = { header, size, records: null };
  }
}
