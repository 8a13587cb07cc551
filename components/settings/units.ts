/** Units in settings: sizes in bytes, spans of time in milliseconds, both written with a unit and read without doubt. */

export type Parsed<T> = { ok: true; value: T } | { ok: false; why: string };

const SIZES: readonly (readonly [unit: string, bytes: number])[] = [
  ["TiB", 1024 ** 4],
  ["GiB", 1024 ** 3],
  ["MiB", 1024 ** 2],
  ["KiB", 1024],
  ["B", 1],
];
const DURATIONS: readonly (readonly [unit: string, ms: number])[] = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** Decimal units look like ours and mean 5 to 10 % less: refused, with the one that is probably meant. */
const LOOKALIKES: Readonly<Record<string, string>> = {
  k: "KiB", kb: "KiB", ki: "KiB", m: "MiB", mb: "MiB", mi: "MiB", g: "GiB", gb: "GiB", gi: "GiB", t: "TiB", tb: "TiB", ti: "TiB",
};

/** `512MiB` -> 536870912 (bytes). */
export function parseSize(text: string): Parsed<number> {
  const meant = LOOKALIKES[/[a-z]+$/i.exec(text)?.[0].toLowerCase() ?? ""];
  const hint = meant === undefined ? "" : ` (units are binary here: did you mean ${text.replace(/\s*[a-z]+$/i, "")}${meant}?)`;
  return parse(text, SIZES, `a size such as 512MiB or 8GiB${hint}`, "bytes");
}

/** `2m` -> 120000 (milliseconds). */
export function parseDuration(text: string): Parsed<number> {
  return parse(text, DURATIONS, "a span of time such as 500ms, 30s, 2m or 1h", "milliseconds");
}

/**
 * `1234.56` with one digit -> `1,234.6`, as `toLocaleString("en-US")` has it: what that knows of languages takes 20 ms to load.
 * @param digits at most, after the point
 */
export function grouped(value: number, digits = 0): string {
  const [whole = "", fraction] = String(Number(value.toFixed(digits))).split(".");
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

/** Bytes with the largest unit that needs no fraction: `536870912` -> `512MiB`. Reads back to the same number. */
export function formatSize(bytes: number): string {
  return format(bytes, SIZES);
}

/** Milliseconds with the largest unit that needs no fraction: `120000` -> `2m`. Reads back to the same number. */
export function formatDuration(ms: number): string {
  return format(ms, DURATIONS);
}

/** For people, rounded: `1.5 GiB`. */
export function roundSize(bytes: number): string {
  const [unit, factor] = SIZES.find(([, size]) => Math.abs(bytes) >= size) ?? ["B", 1];
  const value = bytes / factor;
  return `${value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1)} ${unit}`;
}

function parse(text: string, units: readonly (readonly [string, number])[], expected: string, base: string): Parsed<number> {
  const match = /^(\d{1,16}(?:\.\d{1,6})?)\s*([A-Za-z]+)$/.exec(text.trim());
  const factor = units.find(([unit]) => unit === match?.[2])?.[1];
  if (match === null || factor === undefined) {
    return { ok: false, why: `${JSON.stringify(text.slice(0, 40))} is not ${expected}` };
  }
  const value = Number(match[1]) * factor;
  // A fraction is fine (1.5GiB) as long as it comes to a whole number.
  if (!Number.isSafeInteger(value)) {
    return { ok: false, why: `${JSON.stringify(text.slice(0, 40))} is no whole number of ${base}` };
  }
  return { ok: true, value };
}

function format(value: number, units: readonly (readonly [string, number])[]): string {
  const [unit, factor] = units.find(([, size]) => value >= size && value % size === 0) ?? units[units.length - 1] ?? ["", 1];
  return `${value / factor}${unit}`;
}
