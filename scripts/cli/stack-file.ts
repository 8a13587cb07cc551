import { Document, parseDocument } from "yaml";
import { isObject } from "../../components/settings/defaults.js";

/**
 * Pure edits of a `Pulumi.<stack>.yaml`. Comments and order stay as they are, so that the change to commit is one line.
 */
const namespace = "pbjrag";

/** Raw value of one key of the namespace, or undefined. Secrets come as `{secure: …}`. */
export function configValue(text: string, key: string): unknown {
  const parsed = parseDocument(text).toJS() as { config?: Record<string, unknown> } | null;
  return parsed?.config?.[`${namespace}:${key}`];
}

/** All values of the namespace, keys without it. */
export function configValues(text: string): Record<string, unknown> {
  const parsed = parseDocument(text).toJS() as { config?: Record<string, unknown> } | null;
  const prefix = `${namespace}:`;
  return Object.fromEntries(
    Object.entries(parsed?.config ?? {})
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

/** What the stack's secrets are encrypted with, as Pulumi writes it; null where nothing was encrypted yet. */
export function encryptionSalt(text: string): string | null {
  const parsed = parseDocument(text).toJS() as { encryptionsalt?: unknown } | null;
  return typeof parsed?.encryptionsalt === "string" ? parsed.encryptionsalt : null;
}

/** Why a text is no stack file, or null. */
export function stackFileProblem(text: string): string | null {
  const parsed = parseDocument(text);
  const [error] = parsed.errors;
  if (error !== undefined) return `it is no YAML: ${error.message.split("\n")[0]?.replace(/:$/, "") ?? ""}`;
  const file: unknown = parsed.toJS();
  if (file === null) return null;
  if (!isObject(file)) return "it holds no keys";
  return file["config"] === undefined || file["config"] === null || isObject(file["config"]) ? null : "its config is no list of keys";
}

/**
 * All config as Pulumi hands it to the program: keys with their namespace, objects as JSON. What is encrypted is not opened: within an
 * object a word stands for it, a value that is encrypted as a whole is left out.
 */
export function rawConfigOf(text: string): Record<string, string> {
  const parsed = parseDocument(text).toJS() as { config?: Record<string, unknown> | null } | null;
  const config: Record<string, string> = {};
  for (const [name, value] of Object.entries(parsed?.config ?? {})) {
    const key = name.includes(":") ? name : `${namespace}:${name}`;
    if (!isSecure(value) && value !== null) config[key] = typeof value === "string" ? value : JSON.stringify(opened(value));
  }
  return config;
}

/** Where the file has encrypted values: key with namespace, then the names or places below it. */
export function securePaths(text: string): string[][] {
  const parsed = parseDocument(text).toJS() as { config?: Record<string, unknown> | null } | null;
  const below = (value: unknown): string[][] => {
    if (isSecure(value)) return [[]];
    const entries = Array.isArray(value) ? value.entries() : isObject(value) ? Object.entries(value) : [];
    return [...entries].flatMap(([key, item]) => below(item).map((rest) => [String(key), ...rest]));
  };
  return below(parsed?.config ?? {}).map(([name = "", ...rest]) => [name.includes(":") ? name : `${namespace}:${name}`, ...rest]);
}

/** Stands for a secret: as good as any where only its place is looked at, also as a path. */
const SOME_SECRET = "/encrypted";
/** The same for keys whose value has another form. */
const SOME_SECRETS: Readonly<Record<string, string>> = { slackWebhook: "https://encrypted.invalid/" };

function isSecure(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

function opened(value: unknown, key = ""): unknown {
  if (isSecure(value)) return SOME_SECRETS[key] ?? SOME_SECRET;
  if (Array.isArray(value)) return value.map((item) => opened(item));
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, opened(item, name)])) : value;
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

/** The text with the given keys set; a key whose value is undefined is removed. */
export function withConfig(text: string, values: Record<string, unknown>): string {
  const parsed = parseDocument(text);
  const doc = parsed.contents === null ? emptyDocument(parsed.commentBefore) : parsed;
  if (!doc.has("config")) doc.set("config", doc.createNode({}));
  for (const [key, value] of Object.entries(values)) {
    const path = ["config", `${namespace}:${key}`];
    if (value === undefined) doc.deleteIn(path);
    else doc.setIn(path, typeof value === "object" ? doc.createNode(value) : value);
  }
  return doc.toString({ lineWidth: 0 });
}

function emptyDocument(comment: string | null): Document {
  const doc = new Document({});
  doc.commentBefore = comment;
  return doc;
}
