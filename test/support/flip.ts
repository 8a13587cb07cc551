import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Turns one bit over. Twice is as before. @param at byte of the file */
export function flip(file: string, at: number): void {
  const handle = openSync(file, "r+");
  const byte = Buffer.alloc(1);
  readSync(handle, byte, 0, 1, at);
  writeSync(handle, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, at);
  closeSync(handle);
}
