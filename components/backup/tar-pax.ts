import { TarError } from "./tar-header.js";

/** Pax records are a path and a few numbers; more than this is no archive of Docker's. Bytes. */
export const MAX_PAX = 1024 * 1024;

export interface PaxRecord {
  key: string;
  value: Buffer;
}

/** Records are `<length> <key>=<value>\n`, the length counting itself. @throws TarError */
export function parsePax(body: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const digits = body.subarray(at, Math.max(at, space)).toString("latin1");
    const length = /^[1-9]\d{0,9}$/.test(digits) ? Number(digits) : 0;
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (length === 0 || body[at + length - 1] !== 0x0a || equals <= 0) throw new TarError("a pax header is damaged");
    records.push({ key: record.subarray(0, equals).toString("utf8"), value: record.subarray(equals + 1) });
    at += length;
  }
  return records;
}

export function encodePax({ key, value }: PaxRecord): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** The size that takes the place of the header's, if one does. Bytes. @throws TarError */
export function paxSize(records: readonly PaxRecord[]): number | undefined {
  const value = records.find((record) => record.key === "size")?.value.toString("latin1");
  if (value === undefined) return undefined;
  const size = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(size)) throw new TarError("a size in a pax header is no number");
  return size;
}
