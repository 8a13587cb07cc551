/**
 * The few parts of the protobuf wire format that the Streamlit client needs: varints and length-delimited fields.
 * Unknown fields are skipped, so that a newer Streamlit with more fields is still understood.
 */

/** One field as it stands on the wire: `varint` for wire type 0, `bytes` for wire type 2 (the others carry no value here). */
export interface WireField {
  readonly number: number;
  readonly varint?: number;
  readonly bytes?: Buffer;
}

const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;
const FIXED32 = 5;

/** Encodes a non-negative integer below 2^53. */
export function encodeVarint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
  return Buffer.from(out);
}

/** A length-delimited field: a string, bytes or a message. */
export function encodeField(number: number, content: string | Buffer): Buffer {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  return Buffer.concat([encodeVarint(number * 8 + DELIMITED), encodeVarint(bytes.length), bytes]);
}

/** A varint field: an integer, a bool or an enum. */
export function encodeNumber(number: number, value: number): Buffer {
  return Buffer.concat([encodeVarint(number * 8 + VARINT), encodeVarint(value)]);
}

/** All fields of a message in their order. Throws on anything that is cut short or not protobuf. */
export function decodeFields(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 1, n = 0; n < 10; n += 1, shift *= 0x80) {
      const byte = message[at++];
      if (byte === undefined) throw new Error("protobuf: message cut short");
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
    throw new Error("protobuf: varint longer than 10 bytes");
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new Error("protobuf: message cut short");
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    switch (key % 8) {
      case VARINT: fields.push({ number, varint: varint() }); break;
      case FIXED64: take(8); fields.push({ number }); break;
      case DELIMITED: fields.push({ number, bytes: take(varint()) }); break;
      case FIXED32: take(4); fields.push({ number }); break;
      default: throw new Error(`protobuf: wire type ${key % 8} is none`);
    }
  }
  return fields;
}

/** The last value of a message-typed field reached by a path of field numbers, or null where one of them is absent. */
export function fieldAt(message: Buffer, path: readonly number[]): Buffer | null {
  let here = message;
  for (const number of path) {
    const found = decodeFields(here).filter((field) => field.number === number).at(-1)?.bytes;
    if (found === undefined) return null;
    here = found;
  }
  return here;
}
