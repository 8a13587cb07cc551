import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";

const nextTo = (file: string): string => `${file}.new`;

/** Writes a file whole or not at all. Only for who holds the stack's lock: two writers would share the file beside it. */
export function replaceFile(file: string, text: string, mode: number): void {
  const fd = openSync(nextTo(file), "w", mode);
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(nextTo(file), file);
}

/** Removes what a killed run had begun to write. */
export function sweepReplaced(file: string): void {
  rmSync(nextTo(file), { force: true });
}
