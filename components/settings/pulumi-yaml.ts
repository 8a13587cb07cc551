import { type CreateNodeOptions, Document, type DocumentOptions, parseDocument, type ParseOptions, type SchemaOptions, type ToStringOptions } from "yaml";
import { isObject } from "./defaults.js";
import { PULUMI_TAGS, type PulumiScalar } from "./pulumi-scalars.js";

/** A value of a stack's file as Pulumi reads it; whole numbers beyond 2^53 are bigints. */
export type PulumiValue = PulumiScalar | PulumiValue[] | { [key: string]: PulumiValue };

const READING: ParseOptions & DocumentOptions & SchemaOptions = { schema: "failsafe", customTags: PULUMI_TAGS, merge: true };
/** Pulumi's writer (yaml.v3) also quotes what YAML 1.1 knew: `yes`, `off`, `1:30`. */
const WRITING: CreateNodeOptions & DocumentOptions & SchemaOptions = { schema: "failsafe", customTags: PULUMI_TAGS, compat: "yaml-1.1", aliasDuplicateObjects: false };
const AS_TEXT: ToStringOptions = { lineWidth: 0, blockQuote: false, singleQuote: false };

/** A stack's file as Pulumi's own reader understands it. */
export function parsePulumiYaml(text: string): Document.Parsed {
  return parseDocument(text, READING);
}

/** The file's content: an object, null where it is empty, or what it is otherwise. */
export function readPulumiYaml(text: string): PulumiValue {
  return parsePulumiYaml(text).toJS() as PulumiValue;
}

/** A value in YAML, without a newline at its end: what Pulumi would take for anything but the text that it is comes quoted. */
export function pulumiYaml(value: unknown): string {
  return new Document(value, WRITING).toString(AS_TEXT).replace(/\n$/, "");
}

/** One value of `config` as Pulumi hands it to its program: a text, or JSON. */
export function programText(value: PulumiValue): string {
  if (value === null) return "";
  return typeof value === "string" ? value : pulumiJson(value);
}

/** JSON as Go writes it, but for the order of keys: numbers of 64 bits keep their digits. */
export function pulumiJson(value: PulumiValue): string {
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return `[${value.map(pulumiJson).join(",")}]`;
  if (!isPlainObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${pulumiJson(item)}`).join(",")}}`;
}

function isPlainObject(value: PulumiValue): value is { [key: string]: PulumiValue } {
  return isObject(value);
}

/**
 * Why Pulumi cannot read a file of this content, beyond its being YAML: the place of a value that JSON has no word for, or null.
 */
export function unreadable(value: PulumiValue, place: readonly string[] = []): string | null {
  if (typeof value === "number" && !Number.isFinite(value)) return `${place.join(".")} is ${String(value)}, which Pulumi cannot store`;
  if (value instanceof Uint8Array) return `${place.join(".")} is binary`;
  const entries = Array.isArray(value) ? value.map((item, at): [string, PulumiValue] => [String(at), item]) : isPlainObject(value) ? Object.entries(value) : [];
  for (const [key, item] of entries) {
    const found = unreadable(item, [...place, key]);
    if (found !== null) return found;
  }
  return null;
}
