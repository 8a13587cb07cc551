import { isDeepStrictEqual } from "node:util";
import { isObject, type RawObject } from "../../components/settings/defaults.js";
import { parsePulumiYaml, programText, type PulumiValue, readPulumiYaml, unreadable } from "../../components/settings/pulumi-yaml.js";
import { withValue } from "../../components/settings/pulumi-edit.js";

/**
 * Pure reading and edits of a `Pulumi.<stack>.yaml`. Values are what Pulumi makes of them, see components/settings/pulumi-scalars.ts; what is not
 * changed stays as it is to the byte.
 */
const namespace = "pbjrag";

/**
 * One key of the namespace, or undefined: an object or a list, else a text, as the program gets it. Secrets come as `{secure: …}`. Numbers of 64
 * bits within an object are bigints.
 */
export function configValue(text: string, key: string): unknown {
  return configValues(text)[key];
}

/** All values of the namespace, keys without it. */
export function configValues(text: string): Record<string, unknown> {
  const prefix = `${namespace}:`;
  return Object.fromEntries(
    Object.entries(configOf(text))
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), typeof value === "object" && value !== null ? value : programText(value)]),
  );
}

/** What the stack's secrets are encrypted with, as Pulumi writes it; null where nothing was encrypted yet. */
export function encryptionSalt(text: string): string | null {
  const file = readPulumiYaml(text);
  return isObject(file) && typeof file["encryptionsalt"] === "string" ? file["encryptionsalt"] : null;
}

/** Why a text is no stack file, or null. */
export function stackFileProblem(text: string): string | null {
  const parsed = parsePulumiYaml(text);
  const [error] = parsed.errors;
  if (error !== undefined) return `it is no YAML: ${error.message.split("\n")[0]?.replace(/:$/, "") ?? ""}`;
  const file = parsed.toJS() as PulumiValue;
  if (file === null) return null;
  if (!isObject(file)) return "it holds no keys";
  if (file["config"] !== undefined && file["config"] !== null && !isObject(file["config"])) return "its config is no list of keys";
  return unreadable(file);
}

/**
 * All config as Pulumi hands it to the program: keys with their namespace, objects as JSON. What is encrypted is not opened: within an
 * object a word stands for it, a value that is encrypted as a whole is left out.
 */
export function rawConfigOf(text: string): Record<string, string> {
  const config: Record<string, string> = {};
  for (const [name, value] of Object.entries(configOf(text))) {
    const key = name.includes(":") ? name : `${namespace}:${name}`;
    if (!isSecure(value)) config[key] = programText(opened(value));
  }
  return config;
}

/** Where the file has encrypted values: key with namespace, then the names or places below it. */
export function securePaths(text: string): string[][] {
  const below = (value: PulumiValue): string[][] => {
    if (isSecure(value)) return [[]];
    const entries = Array.isArray(value) ? value.entries() : isMapping(value) ? Object.entries(value) : [];
    return [...entries].flatMap(([key, item]) => below(item).map((rest) => [String(key), ...rest]));
  };
  return below(configOf(text)).map(([name = "", ...rest]) => [name.includes(":") ? name : `${namespace}:${name}`, ...rest]);
}

/** `config` of the file; nothing where it has none, or what is no list of keys. */
function configOf(text: string): Record<string, PulumiValue> {
  const file = readPulumiYaml(text);
  const config = isMapping(file) ? file["config"] : undefined;
  return config !== undefined && isMapping(config) ? config : {};
}

function isMapping(value: PulumiValue): value is Record<string, PulumiValue> {
  return isObject(value);
}

/** Stands for a secret: as good as any where only its place is looked at, also as a path. */
const SOME_SECRET = "/encrypted";
/** The same for keys whose value has another form. */
const SOME_SECRETS: Readonly<Record<string, string>> = { slackWebhook: "https://encrypted.invalid/" };

function isSecure(value: PulumiValue): boolean {
  return isObject(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

function opened(value: PulumiValue, key = ""): PulumiValue {
  if (isSecure(value)) return SOME_SECRETS[key] ?? SOME_SECRET;
  if (Array.isArray(value)) return value.map((item) => opened(item));
  return isMapping(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, opened(item, name)])) : value;
}

/** The key `canary` as it is where nothing is tried, if the file names a tag to try; else nothing. */
export function withoutTrial(text: string): Record<string, unknown> {
  const canary = configValue(text, "canary");
  if (!isObject(canary) || canary["version"] === undefined) return {};
  const rest = Object.fromEntries(Object.entries(canary).filter(([key]) => key !== "version"));
  return { canary: Object.keys(rest).length === 0 ? undefined : rest };
}

/** A key whose step is left out this once, for a reason that is recorded; nothing without one. */
export function skipping(text: string, key: "backup" | "checklist", skipReason: string | undefined): Record<string, unknown> {
  const present = configValue(text, key);
  return skipReason === undefined ? {} : { [key]: { ...(isObject(present) ? present : {}), skipReason } };
}

/** What must be set, or taken out (undefined), so that the file says what serves: a version, on a data generation, and nothing that is tried. */
export function staleValues(text: string, version: string, generation: string): Record<string, unknown> {
  const data = configValue(text, "data");
  const named = typeof data === "object" && data !== null && "generation" in data ? data.generation : undefined;
  return {
    ...(configValue(text, "version") === version ? {} : { version }),
    ...(named === undefined || named === generation ? {} : { data: undefined }),
    ...withoutTrial(text),
  };
}

/** The text with the given keys set; a key whose value is undefined is removed. Of an object only what differs is written. */
export function withConfig(text: string, values: Record<string, unknown>): string {
  const present = configOf(text);
  const changes = Object.entries(values).flatMap(([key, value]) => changesOf(present[`${namespace}:${key}`], value, ["config", `${namespace}:${key}`]));
  return changes.reduce((now, [path, value]) => withValue(now, path, value), text);
}

type Change = [path: string[], value: unknown];

/** What is new comes before what goes, so that no object is empty in between. */
function changesOf(before: unknown, after: unknown, path: string[]): Change[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isObject(before) || !isObject(after) || Object.values(after).every((value) => value === undefined)) return [[path, isObject(after) ? defined(after) : after]];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changes = keys.flatMap((key) => changesOf(before[key], after[key], [...path, key]));
  return [...changes.filter(([, value]) => value !== undefined), ...changes.filter(([, value]) => value === undefined)];
}

function defined(value: RawObject): RawObject {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}
