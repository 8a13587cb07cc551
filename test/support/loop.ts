import { closeSync, existsSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { mustRun, run } from "./processes.js";

/** Bytes. */
const PIECE = 256 * 1024;

/** A small file system of its own, on a file. Needs root and loop devices. */
export class LoopDisk {
  private constructor(private readonly root: string, readonly directory: string) {}

  /**
   * @param at an existing directory to hide behind it; by default one of its own
   * @returns null where this machine does not let one be mounted
   */
  static async mount(bytes: number, at?: string): Promise<LoopDisk | null> {
    const root = mkdtempSync(path.join(tmpdir(), "loop-disk-"));
    const image = path.join(root, "image");
    const disk = new LoopDisk(root, at ?? path.join(root, "mnt"));
    writeFileSync(image, "");
    truncateSync(image, bytes);
    const steps = [["mkfs.ext4", "-q", "-m", "0", image], ["mkdir", "-p", disk.directory], ["mount", "-o", "loop", image, disk.directory]] as const;
    for (const [file, ...args] of steps) {
      if ((await run(file, args, { cwd: root }).catch(() => ({ exitCode: 1 }))).exitCode === 0) continue;
      rmSync(root, { recursive: true, force: true });
      return null;
    }
    return disk;
  }

  /** Bytes that can still be written. */
  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.directory);
    return bavail * bsize;
  }

  /** Takes all of it but about `left` bytes. */
  async fill(left: number): Promise<void> {
    const file = path.join(this.directory, "ballast");
    const most = (await this.free()) - left - PIECE;
    // At once, where the file system can; the rest bit by bit.
    if (most > 0 && !existsSync(file)) await run("fallocate", ["-l", String(most), file], { cwd: this.root });
    const piece = Buffer.alloc(PIECE, 1);
    const ballast = openSync(file, "a");
    try {
      while ((await this.free()) > left) writeSync(ballast, piece);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    } finally {
      closeSync(ballast);
    }
  }

  /** Gives back what {@link fill} took. */
  empty(): void {
    rmSync(path.join(this.directory, "ballast"), { force: true });
  }

  async dispose(): Promise<void> {
    await mustRun("umount", ["-l", this.directory], { cwd: this.root });
    rmSync(this.root, { recursive: true, force: true });
  }
}
