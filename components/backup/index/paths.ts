/** File names are bytes; JSON holds text. Pure. */

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** A byte that is not UTF-8 becomes this and the byte: a lone surrogate, which no UTF-8 decodes to. */
const ESCAPE = 0xdc00;
const LONE = /\p{Surrogate}/u;

/** Any bytes as text, without loss: valid UTF-8 as itself, other bytes (from 0x80 on) as lone surrogates. */
export function pathText(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return escaped(bytes);
  }
}

/** The bytes that {@link pathText} was given. */
export function pathBytes(text: string): Buffer {
  if (!LONE.test(text)) return Buffer.from(text);
  const parts = Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code >= ESCAPE && code <= ESCAPE + 0xff ? Buffer.from([code - ESCAPE]) : Buffer.from(character);
  });
  return Buffer.concat(parts);
}

/**
 * The order in which a walk through directories lists files, each directory's entries by their bytes: `a/z` comes before
 * `a.txt`, since `a` does.
 */
export function comparePaths(a: string, b: string): number {
  return Buffer.compare(sortKey(a), sortKey(b));
}

function sortKey(text: string): Buffer {
  const bytes = pathBytes(text);
  for (let at = bytes.indexOf(0x2f); at !== -1; at = bytes.indexOf(0x2f, at + 1)) bytes[at] = 0;
  return bytes;
}

/** Each sequence that is valid by itself as its character, every other byte escaped. */
function escaped(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = lengthAt(bytes, at);
    const character = length === 0 ? null : decoded(bytes.subarray(at, at + length));
    text += character ?? String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
    at += character === null ? 1 : length;
  }
  return text;
}

/** Bytes of the sequence that begins here, by its first byte; 0: none can. */
function lengthAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}
