/** Files that others may have put there: a pipe in a file's place makes nobody wait, and a huge one fills no memory. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { codeOf } from "./errors.js";

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What is there is no file of the kind that is wanted. */
export class IrregularFileError extends Error {
  override readonly name = "IrregularFileError";
}

/**
 * Reads a regular file of at most so many bytes, whole.
 * @throws IrregularFileError with a clause that follows the file's name; the system's errors, `ENOENT` for one
 */
export function readRegular(file: string, maxBytes: number): Buffer {
  const fd = openRegular(file, maxBytes);
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Opens one for reading; the caller closes it.
 * @throws as {@link readRegular}
 */
export function openRegular(file: string, maxBytes: number): number {
  const fd = opened(file);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new IrregularFileError("is no regular file");
    if (stat.size > maxBytes) throw new IrregularFileError(`is larger than ${maxBytes} bytes`);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function opened(file: string): number {
  try {
    return openSync(file, FLAGS);
  } catch (error) {
    if (codeOf(error) === "ELOOP") throw new IrregularFileError("is a link");
    // A socket cannot be opened at all.
    if (codeOf(error) === "ENXIO") throw new IrregularFileError("is no regular file");
    throw error;
  }
}
