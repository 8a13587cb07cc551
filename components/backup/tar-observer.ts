import type { TarType } from "./tar-header.js";

/** One entry of an archive whose names are relative to its root (`./a/b`). */
export interface SeenEntry {
  type: TarType;
  /** Names are bytes. */
  path: Buffer;
  /** Target of a hard link (relative as `path` is) or of a symbolic one; empty otherwise. */
  link: Buffer;
  /** Bytes of a regular file; 0 otherwise. */
  size: number;
}

/** Sees each entry of an archive that passes: its begin, its content piece by piece, its end. */
export interface TarObserver {
  begin(entry: SeenEntry): void;
  content(chunk: Buffer): void;
  /** @returns a promise that the archive is to wait for before it goes on */
  end(): Promise<void> | undefined;
}
