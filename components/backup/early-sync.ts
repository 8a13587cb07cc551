import type { FileHandle } from "node:fs/promises";

/** Bytes. */
const PIECE = 32 * 1024 * 1024;

/**
 * Sends a file to the disk while it grows, so that its end has little to wait for: a system left alone keeps what is written in
 * memory until it must, and packing is quicker than many a disk.
 */
export class EarlySync {
  private begun = 0;
  private running: Promise<void> | null = null;
  /** A disk tells a failure once: it is kept until somebody asks. */
  private failure: { error: unknown } | null = null;

  constructor(private readonly handle: Pick<FileHandle, "datasync" | "sync">, private readonly piece = PIECE) {}

  /** @param size bytes that it has by now */
  grown(size: number): void {
    if (this.running !== null || this.failure !== null || size - this.begun < this.piece) return;
    this.begun = size;
    this.running = this.handle
      .datasync()
      .catch((error: unknown) => void (this.failure = { error }))
      .finally(() => (this.running = null));
  }

  /** All of it is on the disk afterwards. @throws Error what the disk said, now or before */
  async end(): Promise<void> {
    await this.running;
    if (this.failure !== null) throw this.failure.error;
    await this.handle.sync();
  }
}
