/**
 * Text that is safe to show: what apps, collections, manifests, and servers say may hold escape sequences, and a terminal obeys them.
 * A line could be erased and another one be written in its place.
 */

/**
 * C0 (but line feed and tab), DEL, C1 (one character that some terminals take for `ESC [`), marks that turn the direction of what follows
 * (`v1.0.0` could be read as another tag), and the two separators that some programs take for line ends.
 */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text as it can be shown: each such character as JSON escapes it, so that a JSON text keeps its meaning. Line feeds and tabs stay. */
export function readable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** One line as it can be shown. A line feed within it begins a line that is marked, and so cannot pass for one of ours. */
export function readableLine(line: string): string {
  return readable(line).replaceAll("\n", "\n  | ");
}
