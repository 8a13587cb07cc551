/** Raw Pulumi config -> settings, or every problem that it has. */
import type { z } from "zod";
import type { Problem } from "../release/model.js";
import { DEFAULTS, defaultsFor, ENVIRONMENTS, type Environment, environmentOf, isObject, overlay, type Raw, type RawObject } from "./defaults.js";
import { settingsProblems } from "./rules.js";
import { type Settings, settingsSchema } from "./schema.js";

export interface RawConfig {
  stack: string;
  /** All of the stack's config, decrypted: `pbjrag:version` -> `v3.0.0`, `pbjrag:app` -> JSON text. */
  config: Readonly<Record<string, string>>;
  isSecret?: IsSecret;
}

/**
 * Whether what is at a place, such as `pbjrag:app`, `secretEnv`, `TOKEN`, is stored encrypted. Pulumi tells its program that of whole keys
 * only. Without it, that is not checked.
 */
export type IsSecret = (place: readonly string[]) => boolean;

export type Loaded = { settings: Settings } | { problems: Problem[] };

const NAMESPACE = "pbjrag:";
/** Top-level keys that hold an object, which Pulumi hands over as JSON text. */
const OBJECT_KEYS = new Set(["app", "qdrant", "proxy", "gate", "drain", "backup", "checklist", "notify", "volumes", "docker", "data", "adopt", "watch", "canary"]);

/** Problems never show a value that may be secret. */
export function loadSettings({ stack, config, isSecret }: RawConfig): Loaded {
  const { raw, problems } = readNamespace(config);
  const merged = overlay(defaultsFor(environmentIn(raw, stack)), raw);
  const result = settingsSchema.safeParse(merged);
  if (!result.success) {
    const unread = new Set(problems.map((problem) => problem.subject));
    const found = result.error.issues.flatMap(describeIssue).filter((problem) => !unread.has(problem.subject));
    const named = [...problems, ...found];
    const mended = mend(merged, result.error.issues, stack);
    const told = (subject: string): boolean => named.some((problem) => subject === problem.subject || subject.startsWith(`${problem.subject}.`));
    const further = mended === null ? [] : judge(mended, { stack, isSecret }).filter((problem) => !told(problem.subject));
    return { problems: [...named, ...further, ...foreignConfig(config)] };
  }
  const settings = withAdopted(result.data);
  problems.push(...judge(settings, { stack, isSecret }), ...foreignConfig(config));
  return problems.length > 0 ? { problems } : { settings };
}

/** What is adopted are the stack's own volumes from then on. */
function withAdopted(settings: Settings): Settings {
  const { adopt, volumes } = settings;
  return adopt === undefined ? settings : { ...settings, volumes: { qdrant: adopt.qdrantVolume, uploads: adopt.uploadsVolume, ...volumes } };
}

function judge(settings: Settings, { stack, isSecret }: Pick<RawConfig, "stack" | "isSecret">): Problem[] {
  return [...settingsProblems(settings, stack), ...(isSecret === undefined ? [] : plainSecrets(settings, isSecret))];
}

/** The settings with defaults for what could not be read, so that the rest can be judged as well; null where that does not help. */
function mend(merged: RawObject, issues: readonly z.core.$ZodIssue[], stack: string): Settings | null {
  const defaults: RawObject = { ...defaultsFor(environmentIn(merged, stack)), version: "v0.0.0", source: "." };
  const mended = issues.flatMap(placesOf).reduce<RawObject>((raw, path) => withDefault(raw, defaults, path), merged);
  const result = settingsSchema.safeParse(mended);
  return result.success ? result.data : null;
}

function placesOf(issue: z.core.$ZodIssue): string[][] {
  const path = issue.path.map(String);
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...path, key]) : [path];
}

/** The object with the value at a path as it is in another; removed where that has none. */
function withDefault(raw: RawObject, defaults: RawObject, [key = "", ...below]: readonly string[]): RawObject {
  const now = Object.hasOwn(raw, key) ? raw[key] : undefined;
  const otherwise = Object.hasOwn(defaults, key) ? defaults[key] : undefined;
  const value = below.length > 0 && isObject(now) ? withDefault(now, isObject(otherwise) ? otherwise : {}, below) : otherwise;
  const others = Object.entries(raw).filter(([name]) => name !== key);
  return Object.fromEntries(value === undefined ? others : [...others, [key, value]]);
}

function readNamespace(config: Readonly<Record<string, string>>): { raw: RawObject; problems: Problem[] } {
  const raw: RawObject = {};
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(config)) {
    if (!name.startsWith(NAMESPACE)) {
      continue;
    }
    const key = name.slice(NAMESPACE.length);
    const value: Raw | undefined = OBJECT_KEYS.has(key) ? parseJson(text) : text;
    if (OBJECT_KEYS.has(key) && !isObject(value)) {
      // The text is not shown: it may hold secrets.
      problems.push({ subject: name, what: "is not an object", next: `set its keys one by one: pulumi config set --path ${name}.KEY VALUE` });
      continue;
    }
    Object.defineProperty(raw, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return { raw, problems };
}

function parseJson(text: string): Raw | undefined {
  try {
    return JSON.parse(text) as Raw;
  } catch {
    return undefined;
  }
}

function environmentIn(raw: RawObject, stack: string): Environment {
  return ENVIRONMENTS.find((environment) => environment === raw["environment"]) ?? environmentOf(stack);
}

/** Keys that there were, and why they are not needed any more. */
const RETIRED: Readonly<Record<string, string>> = { "pbjrag:qdrant.allowInterruption": "is not needed any more: a change of Qdrant interrupts nobody" };

/** One problem per place: an issue on unknown keys names several. */
function describeIssue(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      subject: subject([...path, key]),
      what: RETIRED[subject([...path, key])] ?? "is not known",
      next: `remove it (pulumi config rm --path '${subject([...path, key])}'), or correct its spelling; known here: ${keysBelow(path).join(", ")}`,
    }));
  }
  const name = subject(path);
  return [{ subject: name, what: issue.message, next: `set it: pulumi config set --path '${name}' VALUE` }];
}

function subject(path: readonly string[]): string {
  return NAMESPACE + path.map((part) => (/^[\w-]+$/.test(part) ? part : JSON.stringify(part))).join(".");
}

/** Keys that have a place below `path`, from the table of defaults and what has no default. */
function keysBelow(path: readonly string[]): string[] {
  const rows = [...DEFAULTS.map(([row]) => row), "version", "source", "environment", "qdrant.apiKey", "backup.repository", "backup.repositoryPassword", "checklist.tests", "checklist.types", "checklist.lint", "notify.slackWebhook", "notify.email.host", "notify.email.user", "notify.email.password", "notify.email.from", "notify.email.to", "notify.command", "volumes.qdrant", "volumes.uploads", "canary.version", "canary.steps", "canary.thresholds.p50", "data.generation", "data.restoreFrom", "data.only", "adopt.qdrantVolume", "adopt.uploadsVolume", "adopt.containers"];
  const prefix = path.map((part) => `${part}.`).join("");
  const keys = rows.filter((row) => row.startsWith(prefix)).map((row) => row.slice(prefix.length).split(".")[0] ?? "");
  return [...new Set(keys)].sort();
}

/** A provider pointed elsewhere would start containers on one host and look for them on another. */
function foreignConfig(config: Readonly<Record<string, string>>): Problem[] {
  return Object.hasOwn(config, "docker:host")
    ? [{ subject: "docker:host", what: "is not used by this program, and would part its Docker provider from the rest", next: "remove it (pulumi config rm docker:host); pbjrag:docker.host says where Docker is" }]
    : [];
}

function plainSecrets({ app, qdrant, backup, notify }: Settings, isSecret: IsSecret): Problem[] {
  const held: [place: string[], value: string | undefined][] = [
    ...Object.entries(app.secretEnv).map(([name, value]): [string[], string] => [["app", "secretEnv", name], value]),
    [["qdrant", "apiKey"], qdrant.apiKey],
    [["backup", "repositoryPassword"], backup.repositoryPassword],
    [["notify", "slackWebhook"], notify.slackWebhook],
    [["notify", "email", "password"], notify.email.password],
  ];
  return held
    .filter(([[key = "", ...below], value]) => value !== undefined && !isSecret([`${NAMESPACE}${key}`, ...below]))
    .map(([place]) => ({ subject: subject(place), what: "is stored as plain text", next: `set it encrypted: pulumi config set --path --secret '${subject(place)}'` }));
}
