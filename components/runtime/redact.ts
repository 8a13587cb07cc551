/** Masks secrets in text, in every encoding in which they travel through our tools. */
import { StringDecoder } from "node:string_decoder";
import { Transform } from "node:stream";
import { encodings, SHORT } from "./encodings.js";

export const MASK = "***";

/** Gives a text back with its secrets masked. One mask stands for secrets that overlap. */
export type Redactor = (text: string) => string;

/** From, to (exclusive): characters that belong to a secret. */
type Range = readonly [from: number, to: number];

interface Patterns {
  anywhere: readonly string[];
  /** Masked as whole words only. */
  words: readonly string[];
}

function patternsOf(secrets: readonly string[]): Patterns {
  return {
    anywhere: [...new Set(secrets.flatMap(encodings))],
    words: [...new Set(secrets.map((secret) => secret.trim()).filter((secret) => secret !== "" && secret.length < SHORT))],
  };
}

/**
 * @param known texts that are no secrets, such as paths: what is found within one of them stays, also where a secret is a word of it
 */
export function createRedactor(secrets: readonly string[], known: readonly string[] = []): Redactor {
  const patterns = patternsOf(secrets);
  const spared: Patterns = { anywhere: known.filter((text) => !secrets.some((secret) => secret.includes(text))), words: [] };
  return (text) => {
    const found = rangesIn(text, patterns, "", true);
    if (found.length === 0) return text;
    const safe = rangesIn(text, spared, "", true);
    return masked(text, merge(found.filter(([from, to]) => !safe.some(([begin, end]) => begin <= from && to <= end))), text.length, 0);
  };
}

/**
 * The same for a stream of UTF-8 text in any chunks: a secret that is split between them is masked too. What may be the
 * beginning of a secret is held back until it is known, everything else passes at once.
 */
export function redactStream(secrets: readonly string[]): Transform {
  const patterns = patternsOf(secrets);
  const decoder = new StringDecoder("utf8");
  let held = "";
  // So many characters at the start of `held` belong to a secret whose mask has been written already.
  let covered = 0;
  let before = "";
  const step = (chunk: string, last: boolean): string => {
    const text = held + chunk;
    const ranges = merge([[0, covered], ...rangesIn(text, patterns, before, last)]);
    const cut = last ? text.length : heldFrom(text, patterns);
    const result = masked(text, ranges, cut, covered);
    const across = ranges.find(([from, to]) => from < cut && to > cut);
    covered = cut === 0 ? covered : across === undefined ? 0 : across[1] - cut;
    before = cut === 0 ? before : text.charAt(cut - 1);
    held = text.slice(cut);
    return result;
  };
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      done(null, step(decoder.write(chunk), false));
    },
    flush(done) {
      done(null, step(decoder.end(), true));
    },
  });
}

/** `text` up to `cut` with its ranges masked; a range at 0 has its mask already if `covered` is not 0. */
function masked(text: string, ranges: readonly Range[], cut: number, covered: number): string {
  let result = "";
  let at = 0;
  for (const [from, to] of ranges.filter((range) => range[0] < cut)) {
    result += text.slice(at, from) + (from === 0 && covered > 0 ? "" : MASK);
    at = to;
  }
  return result + text.slice(Math.min(at, cut), cut);
}

/** Every place of every pattern, also where they overlap. */
function rangesIn(text: string, patterns: Patterns, before: string, last: boolean): Range[] {
  const ranges: Range[] = [];
  for (const pattern of patterns.anywhere) {
    for (let at = text.indexOf(pattern); at >= 0; at = text.indexOf(pattern, at + 1)) {
      ranges.push([at, at + pattern.length]);
    }
  }
  for (const word of patterns.words) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
      const end = at + word.length;
      const previous = at === 0 ? before : text.charAt(at - 1);
      // Without the next character it is not known whether the word ends here; it is held back until then.
      if ((end < text.length || last) && !isWordChar(previous) && !isWordChar(text.charAt(end))) {
        ranges.push([at, end]);
      }
    }
  }
  return ranges;
}

function isWordChar(char: string): boolean {
  return /^[\p{L}\p{N}_]$/u.test(char);
}

/** Joins what overlaps, in order; empty ranges go. */
function merge(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of ranges.filter(([from, to]) => to > from).sort((a, b) => a[0] - b[0] || b[1] - a[1])) {
    const previous = result.at(-1);
    if (previous !== undefined && range[0] < previous[1]) {
      result[result.length - 1] = [previous[0], Math.max(previous[1], range[1])];
    } else {
      result.push(range);
    }
  }
  return result;
}

/** Where the longest end of `text` begins that could be the beginning of a secret. */
function heldFrom(text: string, patterns: Patterns): number {
  let from = text.length;
  for (const pattern of patterns.anywhere) {
    from = Math.min(from, beginsIn(text, pattern, pattern.length - 1));
  }
  for (const word of patterns.words) {
    from = Math.min(from, beginsIn(text, word, word.length));
  }
  return from;
}

/** Least position from which `text` to its end, at most `longest` characters, is how `pattern` begins. */
function beginsIn(text: string, pattern: string, longest: number): number {
  const first = pattern.charAt(0);
  for (let at = text.indexOf(first, Math.max(0, text.length - longest)); at >= 0; at = text.indexOf(first, at + 1)) {
    if (pattern.startsWith(text.slice(at))) {
      return at;
    }
  }
  return text.length;
}
