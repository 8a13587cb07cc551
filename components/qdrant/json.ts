/**
 * JSON as Qdrant speaks it. Ids are 64-bit numbers or UUIDs, and JavaScript's numbers end at 53 bits: an id that was rounded
 * is another point's. So ids are text here, and whole numbers that would be rounded are read as text as well.
 */

/** A point's id: decimal digits for a number, else a UUID. */
export type PointId = string;

const LONG = /\d{16}/;
/** Strings are matched only to be passed over. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*/g;
const LONG_WHOLE = /^-?\d{16,}$/;

/** @throws SyntaxError */
export function parseExact(text: string): unknown {
  if (!LONG.test(text)) return JSON.parse(text) as unknown;
  return JSON.parse(text.replace(TOKEN, (token) => (isRounded(token) ? `"${token}"` : token))) as unknown;
}

/** Of 16 digits some are exact, and stay numbers. */
function isRounded(token: string): boolean {
  return LONG_WHOLE.test(token) && !Number.isSafeInteger(Number(token));
}

/** An id within the text of a request. */
export function idJson(id: PointId): string {
  return /^\d+$/.test(id) ? id : JSON.stringify(id);
}

/** Numbers first, by value; then UUIDs: the order in which Qdrant lists points. */
export function compareIds(a: PointId, b: PointId): number {
  const [left, right] = [isNumber(a), isNumber(b)];
  if (left !== right) return left ? -1 : 1;
  if (left && a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A UUID has dashes. */
function isNumber(id: PointId): boolean {
  return !id.includes("-");
}
