/** Settings as a release's record keeps them, and the way back to config. No secret passes through here. */
import { z } from "zod";
import { FORMER_HARDENING } from "../app/hardening.js";
import { defaultsFor, isObject, overlay, type Raw, type RawObject } from "./defaults.js";
import { recordedConfigSchema, type RecordedSettings, recordedSchema, type Settings, settingsSchema } from "./schema.js";

/** Leaves out secrets, permissions that are meant for one run, and the one-run keys. */
export function toRecorded(settings: Settings): RecordedSettings {
  return {
    ...omit(settings, "notify", "watch", "canary", "data", "adopt", "attempt", "finish", "asReleased", "reapply"),
    app: omit(settings.app, "secretEnv"),
    backup: omit(settings.backup, "repository", "repositoryPassword", "repositoryEnv"),
    checklist: { skipReason: settings.checklist.skipReason },
    qdrant: omit(settings.qdrant, "apiKey"),
    proxy: omit(settings.proxy, "allowInterruption"),
  };
}

/** The operator's: where backups go is no part of a release, and the address may hold a password. */
function offMachine({ repository, repositoryPassword, repositoryEnv }: Settings["backup"]): Pick<Settings["backup"], "repository" | "repositoryPassword" | "repositoryEnv"> {
  return { repositoryEnv, ...(repository === undefined ? {} : { repository }), ...(repositoryPassword === undefined ? {} : { repositoryPassword }) };
}

function omit<T extends object, K extends keyof T>(value: T, ...keys: K[]): Omit<T, K> {
  const copy = { ...value };
  keys.forEach((key) => delete copy[key]);
  return copy;
}

/** Recorded settings in force, with today's secrets and one-run keys. */
export function fromRecorded(recorded: RecordedSettings, today: Settings): Settings {
  return {
    ...recorded,
    app: { ...recorded.app, secretEnv: today.app.secretEnv },
    backup: { ...recorded.backup, ...offMachine(today.backup) },
    checklist: { ...today.checklist, ...recorded.checklist },
    qdrant: { ...recorded.qdrant, ...(today.qdrant.apiKey === undefined ? {} : { apiKey: today.qdrant.apiKey }) },
    proxy: { ...recorded.proxy, allowInterruption: today.proxy.allowInterruption },
    notify: today.notify,
    data: today.data,
    watch: today.watch,
    canary: today.canary,
    ...(today.adopt === undefined ? {} : { adopt: today.adopt }),
    attempt: today.attempt,
    finish: today.finish,
    asReleased: today.asReleased,
    reapply: today.reapply,
  };
}

/** Recorded settings in config's own form, as an object: sizes and times with units. */
function toRaw(recorded: RecordedSettings): RawObject {
  return plain(z.encode(recordedConfigSchema, recorded));
}

/** An object as its JSON says it: without undefined keys. */
function plain(value: object): RawObject {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  return isObject(copy) ? copy : {};
}

/** Raw Pulumi config (`pbjrag:app` -> JSON text, …) that loads to the same recorded settings, whatever the defaults become. */
export function toConfig(recorded: RecordedSettings): Record<string, string> {
  return Object.fromEntries(Object.entries(toRaw(recorded)).map(([key, value]) => [`pbjrag:${key}`, asText(value)]));
}

function asText(value: Raw): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Keys of a release that a rollback sets again as they were; all others are the operator's, and stay as they are. */
export const RELEASE_KEYS = ["version", "source", "allowUntagged", "app", "qdrant", "gate"] as const;

/** Within the keys above: what stays as it is now. A rotated secret must not come back. */
const KEPT: Readonly<Record<string, readonly string[]>> = { app: ["secretEnv"], qdrant: ["apiKey"] };

/**
 * The config that a rollback runs with: `present` with a release's recorded settings, under today's secrets.
 * Configuration of other namespaces passes unchanged.
 * @param present raw config, values as Pulumi gives them; may hold secrets, as does what is returned
 */
export function rollbackConfig(present: Readonly<Record<string, string>>, recorded: RecordedSettings): Record<string, string> {
  const raw = toRaw(recorded);
  const result: Record<string, string> = { ...present };
  for (const key of RELEASE_KEYS) {
    const value = raw[key];
    if (value === undefined) {
      continue;
    }
    const now = parseObject(present[`pbjrag:${key}`]);
    const kept = Object.fromEntries((KEPT[key] ?? []).flatMap((name) => (now[name] === undefined ? [] : [[name, now[name]]])));
    result[`pbjrag:${key}`] = asText(isObject(value) ? { ...value, ...kept } : value);
  }
  return result;
}

function parseObject(text: string | undefined): RawObject {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return isObject(value) ? value : {};
  } catch {
    // A value that is not JSON is replaced as a whole; loading the present config reports it.
    return {};
  }
}

/** Reads recorded settings from a ledger. Fields that are younger than the record get their default, or what was so before there was one. */
export function parseRecorded(value: unknown): { settings: RecordedSettings } | { why: string } {
  if (!isObject(value)) {
    return { why: "settings are no object" };
  }
  const environment = value["environment"];
  const known = environment === "prod" || environment === "staging" ? environment : "dev";
  const result = recordedSchema.safeParse(overlay(recordedDefaults(known), value));
  if (result.success) {
    return { settings: result.data };
  }
  const issue = result.error.issues[0];
  return { why: `settings${issue === undefined ? "" : `.${issue.path.join(".")}: ${issue.message}`}` };
}

function recordedDefaults(environment: "prod" | "staging" | "dev"): RawObject {
  // A record always has version and source; these only complete the form, and are taken out again.
  const settings = settingsSchema.parse({ ...defaultsFor(environment), version: "-", source: "-" });
  const recorded = toRecorded(settings);
  return plain({ ...omit(recorded, "version", "source"), app: { ...recorded.app, hardening: FORMER_HARDENING } });
}

/** Differences from `a` to `b`, for people: `app.memory: 4GiB -> 2GiB`. Sorted by key. */
export function settingsDiff(a: RecordedSettings, b: RecordedSettings): string[] {
  const before = flatten(toRaw(a));
  const after = flatten(toRaw(b));
  const keys = [...new Set([...before.keys(), ...after.keys()])].sort();
  return keys.flatMap((key) => {
    const [from, to] = [before.get(key), after.get(key)];
    return from === to ? [] : [`${key}: ${from ?? "(unset)"} -> ${to ?? "(unset)"}`];
  });
}

function flatten(value: RawObject, prefix = ""): Map<string, string> {
  const result = new Map<string, string>();
  for (const [key, inner] of Object.entries(value)) {
    const path = `${prefix}${key}`;
    if (isObject(inner)) {
      flatten(inner, `${path}.`).forEach((text, at) => result.set(at, text));
    } else {
      result.set(path, inner === "" ? '""' : asText(inner));
    }
  }
  return result;
}
