/** The one table of defaults. Written as a person writes config, so that it reads as the reference does. */

export const ENVIRONMENTS = ["prod", "staging", "dev"] as const;
export type Environment = (typeof ENVIRONMENTS)[number];

/** A value of the raw config: what JSON can say. */
export type Raw = string | number | boolean | null | Raw[] | { [key: string]: Raw };
export type RawObject = { [key: string]: Raw };

type PerEnvironment = { [E in Environment]: Raw };
type Row = readonly [path: string, values: PerEnvironment];

const same = (value: Raw): PerEnvironment => ({ prod: value, staging: value, dev: value });
const each = (prod: Raw, staging: Raw, dev: Raw): PerEnvironment => ({ prod, staging, dev });

/** `version` and `source` have none: what to release is never guessed. */
export const DEFAULTS: readonly Row[] = [
  ["allowUntagged", same(false)],
  ["app.replicas", same(2)],
  ["app.cpus", each(2, 1, 1)],
  ["app.memory", each("4GiB", "1GiB", "512MiB")],
  ["app.env", same({})],
  ["app.secretEnv", same({})],
  ["app.port", same(8501)],
  ["app.dockerfile", same("Dockerfile")],
  ["app.uploadsPath", same("/app/uploads")],
  ["app.health.path", same("/_stcore/health")],
  ["app.health.script", same("/_stcore/script-health-check")],
  ["app.hardening.noNewPrivileges", same(true)],
  ["app.hardening.dropCapabilities", same(true)],
  // Only the app's people know where it writes: a model cache in its home, for one.
  ["app.hardening.readOnlyRoot", same(false)],
  ["app.hardening.writable", same(["/tmp"])],
  ["app.hardening.writableSize", each("256MiB", "128MiB", "64MiB")],
  ["qdrant.image", same("qdrant/qdrant:v1.19.0")],
  ["qdrant.cpus", each(4, 2, 1)],
  ["qdrant.memory", each("8GiB", "2GiB", "1GiB")],
  ["proxy.image", same("haproxy:2.6-bookworm")],
  ["proxy.bind", each("0.0.0.0", "127.0.0.1", "127.0.0.1")],
  ["proxy.port", each(8501, 8502, 8503)],
  ["proxy.cpus", each(1, 0.5, 0.5)],
  ["proxy.memory", each("256MiB", "256MiB", "256MiB")],
  ["proxy.timeouts.headers", same("10s")],
  ["proxy.timeouts.idle", same("1m")],
  ["proxy.timeouts.answer", same("5m")],
  ["proxy.timeouts.websocket", same("24h")],
  ["proxy.headerBytes", same("16KiB")],
  ["proxy.connectionsPerSource", same(500)],
  ["proxy.trusted", same([])],
  ["proxy.allowInterruption", same(false)],
  ["gate.passes", same(3)],
  ["gate.interval", same("500ms")],
  ["gate.deadline", same("2m")],
  ["gate.requestTimeout", same("5s")],
  ["drain.deadline", same("15m")],
  ["drain.onRollback", same("30s")],
  ["keepWarm", same(true)],
  ["backup.skipReason", same("")],
  ["backup.deadline", same("30m")],
  ["backup.scratchCpus", each(2, 1, 0.5)],
  // The scratch Qdrant holds the same data as the live one, so it needs the same memory.
  ["backup.scratchMemory", each("8GiB", "2GiB", "1GiB")],
  ["backup.quiesce", same("none")],
  ["backup.keepDays", same(7)],
  ["backup.keepLast", same(3)],
  ["backup.repositoryEnv", same({})],
  ["checklist.skipReason", same("")],
  ["checklist.maxAge", same("24h")],
  ["checklist.staging", same("staging")],
  ["checklist.deadline", same("30m")],
  ["checklist.p99", same("10s")],
  ["checklist.errorRate", same(0.001)],
  ["notify.timeout", same("10s")],
  ["notify.attempts", same(3)],
  ["notify.email.port", same(587)],
  ["notify.email.security", same("starttls")],
  ["watch.for", each("1h", "1h", "0s")],
  ["watch.interval", same("10s")],
  ["watch.minRequests", same(20)],
  ["watch.errors.above", same(1)],
  ["watch.errors.within", same("5m")],
  ["watch.errors.action", same("rollback")],
  ["watch.fewErrors.above", same(0.1)],
  ["watch.fewErrors.within", same("5m")],
  ["watch.fewErrors.action", same("alert")],
  ["watch.latency.above", same("10s")],
  ["watch.latency.within", same("5m")],
  ["watch.latency.action", same("rollback")],
  ["watch.health.above", same(3)],
  ["watch.health.within", same("10m")],
  ["watch.health.action", same("rollback")],
  ["watch.memory.above", same(90)],
  ["watch.memory.within", same("10m")],
  ["watch.memory.action", same("rollback")],
  ["canary.weight", same(10)],
  ["canary.duration", same("10m")],
  ["canary.synthetic", same(0)],
  ["canary.onInsufficient", same("hold")],
  ["canary.thresholds.errors", same(1)],
  ["canary.thresholds.slower", same(25)],
  ["canary.thresholds.slack", same("20ms")],
  ["canary.thresholds.p99", same("10s")],
  ["canary.thresholds.memory", same(90)],
  ["volumes", same({})],
  ["dataDir", same(".")],
  ["docker.host", same("unix:///var/run/docker.sock")],
  // CPU limits may be overbooked; memory limits never are. A local stack goes back with its data on one core, its warm release kept.
  ["docker.cpuOvercommit", each(1, 1, 10)],
  ["data", same({})],
  ["attempt", same("")],
  ["finish", same("")],
  ["asReleased", same("")],
  ["reapply", same(false)],
];

/** The environment that a stack's name says: `prod`, `production`, `prod-eu`, `staging`, …; else dev. */
export function environmentOf(stack: string): Environment {
  const word = /^[A-Za-z]+/.exec(stack)?.[0].toLowerCase() ?? "";
  if (word === "prod" || word === "production") {
    return "prod";
  }
  return word === "staging" || word === "stage" ? "staging" : "dev";
}

/** The table's column for an environment, as an object in config's own form. */
export function defaultsFor(environment: Environment): RawObject {
  const result: RawObject = { environment };
  for (const [path, values] of DEFAULTS) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let at: RawObject = result;
    for (const key of keys) {
      const inner = at[key];
      const next: RawObject = isObject(inner) ? inner : {};
      at[key] = next;
      at = next;
    }
    at[last] = structuredClone(values[environment]);
  }
  return result;
}

/** `over` laid over `base`, object by object; whatever else `over` says replaces. Neither is changed. */
export function overlay(base: RawObject, over: RawObject): RawObject {
  const result: RawObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = Object.hasOwn(base, key) ? base[key] : undefined;
    const merged = isObject(below) && isObject(value) ? overlay(below, value) : value;
    // Not by assignment: a key named __proto__ must stay an ordinary (then: unknown, refused) key.
    Object.defineProperty(result, key, { value: merged, enumerable: true, writable: true, configurable: true });
  }
  return result;
}

export function isObject(value: unknown): value is RawObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
