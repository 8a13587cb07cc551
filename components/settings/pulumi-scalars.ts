import type { ScalarTag } from "yaml";

/**
 * How Pulumi reads a plain (unquoted) scalar of a stack's file. It decodes with gopkg.in/yaml.v3 3.0.1 (`resolve.go`), which knows more forms
 * than YAML 1.2: `010` is octal, `1_000` a thousand, `2026-11-30` a moment. Each rule here was compared with Pulumi's SDK at 3.260.0, value by
 * value: test/settings/pulumi-scalars.table.ts.
 */
export type PulumiScalar = string | number | bigint | boolean | null;

const INT = /^[-+]?(0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)$/;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const NULL = /^(~|null|Null|NULL|)$/;
const BOOL = /^(true|True|TRUE|false|False|FALSE)$/;
/** `+.inf`, `-.INF`, `.NaN`: JSON has no word for them, so Pulumi refuses the whole file. */
const NO_NUMBER = /^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$/;
const MOMENT = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)?)?$/;

const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** A plain scalar's value. A moment is the text that Pulumi hands its program, such as `2026-11-30 00:00:00 +0000 UTC`. */
export function readScalar(text: string): PulumiScalar {
  if (NULL.test(text)) return null;
  if (BOOL.test(text)) return text.toLowerCase() === "true";
  if (NO_NUMBER.test(text)) return /nan/i.test(text) ? NaN : text.startsWith("-") ? -Infinity : Infinity;
  if (text.startsWith(".")) return separatesDigits(text) ? (readFloat(text.replaceAll("_", "")) ?? text) : text;
  if (!/^[-+0-9]/.test(text)) return text;
  const plain = text.replaceAll("_", "");
  return readMoment(text) ?? readInt(plain) ?? readFloat(plain) ?? text;
}

/** Whether a plain scalar of this text would be anything but this text to Pulumi. */
export function isMisread(text: string): boolean {
  return readScalar(text) !== text;
}

/** Without sign and underscores: a leading 0 alone means octal, where its digits allow. Null for what is none, or needs more than 64 bits. */
function readInt(plain: string): number | bigint | null {
  if (!INT.test(plain)) return null;
  const negative = plain.startsWith("-");
  const digits = plain.replace(/^[-+]/, "");
  const octal = /^0[0-9]/.test(digits);
  if (octal && !/^[0-7]+$/.test(digits)) return null;
  const size = BigInt(octal ? `0o${digits}` : digits);
  const value = negative ? -size : size;
  // An unsigned one of 64 bits takes no sign.
  if (value < MIN_INT64 || value > (/^[-+]/.test(plain) ? MAX_UINT64 >> 1n : MAX_UINT64)) return null;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value;
}

/** Null for what is none, and for what no float of 64 bits can hold. A zero loses its sign: Pulumi writes it down and reads it again. */
function readFloat(plain: string): number | null {
  const value = FLOAT.test(plain) ? Number(plain) : NaN;
  return Number.isFinite(value) ? value + 0 : null;
}

/** Go takes `.5_0` for a number, but not `._5`, `.5_` or `.5__0`. */
function separatesDigits(text: string): boolean {
  return !/^_|[^0-9]_|_[^0-9]|_$/.test(text);
}

/** As Go's `time.Time` prints it. A zone's name, which Go takes from the machine, is left at its offset. */
function readMoment(text: string): string | null {
  const [, year = "", month = "", day = "", between, hour = "0", minute = "0", second = "0", fraction = "", zone] = MOMENT.exec(text) ?? [];
  // Go's forms: a date, a date and a time without a zone after a blank, or with one after a T.
  if (year === "" || (between !== undefined && (between === " ") !== (zone === undefined))) return null;
  const [m, d] = [Number(month), Number(day)];
  const days = new Date(Date.UTC(2000 + (Number(year) % 400), m, 0)).getUTCDate();
  if (m < 1 || m > 12 || d < 1 || d > days || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  const offset = offsetOf(zone ?? "Z");
  if (offset === null) return null;
  const two = (digits: string): string => digits.padStart(2, "0");
  const after = fraction.slice(0, 9).replace(/0+$/, "");
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}${after === "" ? "" : `.${after}`} ${offset}`;
}

function offsetOf(zone: string): string | null {
  if (zone === "Z" || /^[-+]00:00$/.test(zone)) return "+0000 UTC";
  const [hours = 0, minutes = 0] = zone.slice(1).split(":").map(Number);
  if (hours > 24 || minutes > 60) return null;
  const total = hours * 60 + minutes;
  const offset = `${zone.slice(0, 1)}${String(Math.floor(total / 60)).padStart(2, "0")}${String(total % 60).padStart(2, "0")}`;
  return `${offset} ${offset}`;
}

/** `yaml` asks a tag's test whether a text is its own. No pattern can tell the days of a month, so this one reads the text. */
class Reading extends RegExp {
  constructor(private readonly fits: (value: PulumiScalar, text: string) => boolean) {
    super("");
  }

  override test(text: string): boolean {
    return this.fits(readScalar(text), text);
  }
}

function tag(name: string, fits: (value: PulumiScalar, text: string) => boolean, identify: (value: unknown) => boolean): ScalarTag {
  return {
    default: true, tag: `tag:yaml.org,2002:${name}`, test: new Reading(fits), identify,
    resolve: (text) => readScalar(text),
    stringify: ({ source, value }) => (source !== undefined && Object.is(readScalar(source), value) ? source : String(value)),
  };
}

const isNumber = (value: unknown): boolean => typeof value === "number" || typeof value === "bigint";

/** For `yaml`'s option `customTags`, beside its schema `failsafe`: what is read so, and so is quoted where a text is meant. */
export const PULUMI_TAGS: ScalarTag[] = [
  tag("null", (value) => value === null, (value) => value === null || value === undefined),
  tag("bool", (value) => typeof value === "boolean", (value) => typeof value === "boolean"),
  tag("timestamp", (value, text) => typeof value === "string" && value !== text, () => false),
  tag("int", (value, text) => isNumber(value) && !/[.]/.test(text), isNumber),
  tag("float", isNumber, isNumber),
];
