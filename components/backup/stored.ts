/** A file system's own unit, in which it keeps holes; a multiple of it is as good. Bytes. */
const UNIT = 4096;
const ZEROS = Buffer.alloc(UNIT);

/**
 * Counts what files take on a disk that keeps their zeros as holes: the units of 4 KiB in which there is anything but zeros. Files one after
 * another, each in pieces of any size.
 */
export class StoredBytes {
  /** Of all files that have ended. */
  bytes = 0;
  /** Of the present unit, what has come. */
  private filled = 0;
  private holds = false;

  content(piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      const length = Math.min(UNIT - this.filled, piece.length - at);
      this.holds ||= ZEROS.compare(piece, at, at + length, 0, length) !== 0;
      at += length;
      this.filled += length;
      if (this.filled === UNIT) this.unit();
    }
  }

  /** Of the present file. */
  end(): void {
    this.unit();
  }

  private unit(): void {
    if (this.holds) this.bytes += UNIT;
    this.filled = 0;
    this.holds = false;
  }
}
