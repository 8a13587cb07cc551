import type { TarObserver } from "./tar-observer.js";
import { StoredBytes } from "./stored.js";
import { entryPath, entryTarget } from "./tar-path.js";
import type { TarEntry } from "./tar-scan.js";

/** Counts what an archive holds whose names are relative to its root (`./a`), and shows it to an observer. */
export class TarContents {
  /** Regular files and hard links. */
  files = 0;
  /** Bytes of regular files' content. */
  bytes = 0;
  private readonly onDisk = new StoredBytes();

  /** Bytes of the present file's content that are still to come; padding follows them. */
  private content = 0;
  private waiting: Promise<void> | undefined;

  constructor(private readonly observer?: TarObserver) {}

  /** Bytes that the content takes on a disk, where zeros are holes. */
  get stored(): number {
    return this.onDisk.bytes;
  }

  entry(entry: TarEntry): void {
    const { type, size } = entry;
    this.bytes += size;
    if (type === "file" || type === "hardlink") this.files += 1;
    this.observer?.begin({ type, size, path: entryPath(entry), link: entryTarget(entry) });
    this.content = size;
    if (size === 0) this.ended();
  }

  body(part: Buffer): void {
    if (this.content === 0) return;
    const content = part.subarray(0, this.content);
    this.onDisk.content(content);
    this.observer?.content(content);
    this.content -= content.length;
    if (this.content === 0) this.ended();
  }

  /** What the observer wants to be waited for, if anything, since this was asked last. */
  takeWaiting(): Promise<void> | undefined {
    const { waiting } = this;
    this.waiting = undefined;
    return waiting;
  }

  private ended(): void {
    this.onDisk.end();
    this.waiting = this.observer?.end() ?? this.waiting;
  }
}
