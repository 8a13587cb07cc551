/** Large files of lines, read piece by piece. */
import { closeSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { codeOf } from "./errors.js";
import { openRegular } from "./regular-file.js";

/** Bytes read at once. */
const PIECE = 256 * 1024;
/** Characters of a line from which it is none of ours, and is left out. */
const MAX_LINE = 16 * 1024 * 1024;

/** Gives each line of a file, the last one also when nothing ends it; of a file that is not there, none. Memory is that of the longest line. */
export function* linesIn(file: string): Generator<string> {
  const fd = openOrNull(file);
  if (fd === null) return;
  try {
    yield* linesFrom(fd);
  } finally {
    closeSync(fd);
  }
}

function openOrNull(file: string): number | null {
  try {
    return openRegular(file, Infinity);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

function* linesFrom(fd: number): Generator<string> {
  const piece = Buffer.allocUnsafe(PIECE);
  const decoder = new StringDecoder("utf8");
  let rest = "";
  let tooLong = false;
  for (let n = readSync(fd, piece, 0, PIECE, null); n > 0; n = readSync(fd, piece, 0, PIECE, null)) {
    const lines = decoder.write(piece.subarray(0, n)).split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      if (!tooLong) yield rest + line;
      rest = "";
      tooLong = false;
    }
    rest = tooLong ? "" : rest + last;
    if (rest.length > MAX_LINE) {
      rest = "";
      tooLong = true;
    }
  }
  if (rest !== "" && !tooLong) yield rest;
}
