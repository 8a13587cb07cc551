/**
 * One 512-byte header of a tar archive, read and rewritten as bytes: names need not be UTF-8, and what is not understood
 * must pass unchanged. Forms: POSIX ustar with pax records, which is what Docker writes.
 */
export const BLOCK = 512;

const NAME = { at: 0, length: 100 } as const;
const SIZE = { at: 124, length: 12 } as const;
const CHECKSUM = { at: 148, length: 8 } as const;
const TYPE_AT = 156;
const LINK = { at: 157, length: 100 } as const;
const MAGIC = { at: 257, length: 8, text: "ustar\0" + "00" } as const;
const PREFIX = { at: 345, length: 155 } as const;

export type TarType = "file" | "hardlink" | "symlink" | "device" | "directory" | "fifo" | "pax" | "unknown";

const TYPES: Readonly<Record<string, TarType>> = {
  "\0": "file",
  "0": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "device",
  "4": "device",
  "5": "directory",
  "6": "fifo",
  "7": "file",
  x: "pax",
};

/** A tar stream that is not what Docker writes, is damaged, or ends too early. */
export class TarError extends Error {
  override readonly name: string = "TarError";
}

/** It ends before its end: a file shrank while it was read, or who writes it was ended. */
export class CutTarError extends TarError {
  override readonly name: string = "CutTarError";
}

/** Not one byte came. */
export class NoTarError extends CutTarError {
  override readonly name = "NoTarError";
}

export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

export function typeOf(header: Buffer): TarType {
  return TYPES[String.fromCharCode(header[TYPE_AT] ?? 0)] ?? "unknown";
}

/** Bytes of the entry's body. @throws TarError if the field is no number. */
export function sizeOf(header: Buffer): number {
  const field = header.subarray(SIZE.at, SIZE.at + SIZE.length);
  // Sizes of 8 GiB and more: the top bit is set and the rest is a big-endian number.
  const size = (field[0] ?? 0) & 0x80 ? (field.readUInt32BE(0) === 0x80000000 ? Number(field.readBigUInt64BE(4)) : NaN) : octalOf(field);
  if (!Number.isSafeInteger(size)) throw new TarError("a size in the archive is no number");
  return size;
}

/** NaN for what readers do not agree upon, as digits after a NUL. */
function octalOf(field: Buffer): number {
  const match = /^ *([0-7]*)[ \0]*$/.exec(field.toString("latin1"));
  return match === null ? NaN : Number.parseInt(`0${match[1] ?? ""}`, 8);
}

/** @throws TarError for a header that is not in POSIX's form: others have something else where its names are. */
export function assertForm(header: Buffer): void {
  if (header.toString("latin1", MAGIC.at, MAGIC.at + MAGIC.length) !== MAGIC.text) throw new TarError("the archive is not in the form of POSIX (ustar)");
  if (header[TYPE_AT] === 0x37) throw new TarError("the archive has an entry of an unknown kind");
}

/** The name in the header; where a pax record `path` goes before it, it is a shortened copy. */
export function nameOf(header: Buffer): Buffer {
  const name = cut(header.subarray(NAME.at, NAME.at + NAME.length));
  const prefix = cut(header.subarray(PREFIX.at, PREFIX.at + PREFIX.length));
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

/** What a link in the header points at. */
export function linkOf(header: Buffer): Buffer {
  return cut(header.subarray(LINK.at, LINK.at + LINK.length));
}

/** @throws TarError if the header's own checksum does not fit. */
export function assertChecksum(header: Buffer): void {
  const field = cut(header.subarray(CHECKSUM.at, CHECKSUM.at + CHECKSUM.length)).toString("latin1").trim();
  if (Number.parseInt(field, 8) !== checksumOf(header)) throw new TarError("a header of the archive is damaged");
}

/** The header with its leading path `base` replaced by `.`; null if its name does not begin with `base`. */
export function rebaseHeader(header: Buffer, base: Buffer): Buffer | null {
  const next = Buffer.from(header);
  const inPrefix = header[PREFIX.at] !== 0;
  if (!replaceLead(next, inPrefix ? PREFIX : NAME, base)) return null;
  return sealed(next);
}

/** The same for the target of a hard link. */
export function rebaseLink(header: Buffer, base: Buffer): Buffer | null {
  const next = Buffer.from(header);
  if (!replaceLead(next, LINK, base)) return null;
  return sealed(next);
}

/** The header with another size. */
export function resized(header: Buffer, size: number): Buffer {
  const next = Buffer.from(header);
  next.write(`${size.toString(8).padStart(SIZE.length - 1, "0")}\0`, SIZE.at, "latin1");
  return sealed(next);
}

/** `path` with the leading `base` replaced by `.`; null if it is not below `base`. */
export function rebasePath(path: Buffer, base: Buffer): Buffer | null {
  const below = path[base.length] === undefined || path[base.length] === 0x2f;
  if (!below || !path.subarray(0, base.length).equals(base)) return null;
  return Buffer.concat([Buffer.from("."), path.subarray(base.length)]);
}

/** Bytes to add to a body of `size` so that it ends on a block. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function replaceLead(header: Buffer, field: { at: number; length: number }, base: Buffer): boolean {
  const bytes = header.subarray(field.at, field.at + field.length);
  const path = rebasePath(cut(bytes), base);
  if (path === null) return false;
  bytes.fill(0);
  path.copy(bytes);
  return true;
}

function sealed(header: Buffer): Buffer {
  header.write(`${checksumOf(header).toString(8).padStart(6, "0")}\0 `, CHECKSUM.at, "latin1");
  return header;
}

/** Sum of all bytes, the checksum's own field counted as spaces. */
function checksumOf(header: Buffer): number {
  let sum = CHECKSUM.length * 0x20;
  for (let i = 0; i < BLOCK; i++) {
    if (i < CHECKSUM.at || i >= CHECKSUM.at + CHECKSUM.length) sum += header[i] ?? 0;
  }
  return sum;
}

function cut(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}
