/**
 * The form of settings. One list of fields serves two readers: config, written by people with units (`512MiB`),
 * and the ledger, written by this program with plain numbers. What a value may be beyond its type is in rules.ts.
 */
import { z } from "zod";
import { ENVIRONMENTS } from "./defaults.js";
import { formatDuration, formatSize, type Parsed, parseDuration, parseSize } from "./units.js";

/** The types that config and ledger write differently. */
interface Units<N extends z.ZodType<number>, B extends z.ZodType<boolean>, T extends z.ZodType<string>> {
  /** Bytes. */
  size: N;
  /** Milliseconds. */
  duration: N;
  integer: N;
  decimal: N;
  flag: B;
  /** Value of an environment variable. */
  env: T;
}

type ConfigNumber = z.ZodType<number, string | number>;

/** Text with a unit -> number, and back. */
function withUnit(parse: (text: string) => Parsed<number>, format: (value: number) => string, example: string): z.ZodType<number, string> {
  return z.codec(z.string({ error: `expected text with a unit, such as "${example}"` }), z.number(), {
    decode: (text, context) => {
      const parsed = parse(text);
      if (parsed.ok) {
        return parsed.value;
      }
      context.issues.push({ code: "custom", message: parsed.why, input: text });
      return z.NEVER;
    },
    encode: format,
  });
}

/** A number; also as text, which is how Pulumi keeps top-level values and fractions set with --path. */
function plainNumber(whole: boolean): ConfigNumber {
  const expected = whole ? "expected a whole number" : "expected a number";
  return z.codec(z.union([z.number(), z.string()], { error: expected }), z.number(), {
    decode: (value, context) => {
      const number = typeof value === "string" && !/^-?\d{1,15}(\.\d{1,6})?$/.test(value) ? NaN : Number(value);
      if (Number.isFinite(number) && (!whole || Number.isSafeInteger(number))) {
        return number;
      }
      context.issues.push({ code: "custom", message: expected, input: value });
      return z.NEVER;
    },
    encode: (value) => value,
  });
}

const configFlag = z.codec(z.union([z.boolean(), z.literal(["true", "false"])], { error: "expected true or false" }), z.boolean(), {
  decode: (value) => value === true || value === "true",
  encode: (value) => value,
});

/** `pulumi config set --path app.env.DEBUG 1` stores a number: what has one spelling only is taken as text. */
const configEnv = z.codec(z.union([z.string(), z.boolean(), z.int()], { error: "expected text (put the value in quotes)" }), z.string(), {
  decode: (value) => String(value),
  encode: (value) => value,
});

const CONFIG: Units<ConfigNumber, typeof configFlag, typeof configEnv> = {
  size: withUnit(parseSize, formatSize, "512MiB"),
  duration: withUnit(parseDuration, formatDuration, "30s"),
  integer: plainNumber(true),
  decimal: plainNumber(false),
  flag: configFlag,
  env: configEnv,
};
const RECORDED: Units<z.ZodNumber, z.ZodBoolean, z.ZodString> = {
  size: z.number(),
  duration: z.number(),
  integer: z.number(),
  decimal: z.number(),
  flag: z.boolean(),
  env: z.string(),
};

const text = z.string({ error: (issue) => (issue.input === undefined ? "is missing" : "expected text") });

/** The fields that are both configured and recorded. */
function fields<N extends z.ZodType<number>, B extends z.ZodType<boolean>, T extends z.ZodType<string>>(unit: Units<N, B, T>) {
  return {
    top: {
      /** Git tag to release. */
      version: text,
      /** Path or URL of the app's repository; a relative path is relative to the project's directory. */
      source: text,
      allowUntagged: unit.flag,
      environment: z.enum(ENVIRONMENTS, { error: `expected one of ${ENVIRONMENTS.join(", ")}` }),
      gate: z.strictObject({ passes: unit.integer, interval: unit.duration, deadline: unit.duration, requestTimeout: unit.duration }),
      drain: z.strictObject({ deadline: unit.duration, onRollback: unit.duration }),
      keepWarm: unit.flag,
      backup: z.strictObject({
        skipReason: text, deadline: unit.duration, scratchCpus: unit.decimal, scratchMemory: unit.size,
        /** Whether users can write between Qdrant's snapshot and the uploads. */
        quiesce: z.enum(["none", "pause"], { error: "expected none or pause" }),
        /** Retention: days, and a number of backups. */
        keepDays: unit.integer, keepLast: unit.integer,
      }),
      /** Why a release on production has no pass of its checklist; "" where it has one. */
      checklist: z.strictObject({ skipReason: text }),
      volumes: z.strictObject({ qdrant: text.optional(), uploads: text.optional() }),
      dataDir: text,
      docker: z.strictObject({ host: text, cpuOvercommit: unit.decimal }),
    },
    app: {
      replicas: unit.integer,
      cpus: unit.decimal,
      memory: unit.size,
      env: z.record(z.string(), unit.env),
      port: unit.integer,
      dockerfile: text,
      uploadsPath: text,
      /** Paths that the gate probes; no `script` for an app that is not Streamlit's. */
      health: z.strictObject({ path: text, script: text }),
      /** What the containers may not do: see app/hardening.ts. */
      hardening: z.strictObject({
        noNewPrivileges: unit.flag, dropCapabilities: unit.flag, readOnlyRoot: unit.flag,
        /** Where it can write all the same, in memory; with `readOnlyRoot` only. The size is each one's. */
        writable: z.array(text, { error: "expected a list of paths" }), writableSize: unit.size,
      }),
    },
    qdrant: { image: text, cpus: unit.decimal, memory: unit.size },
    proxy: {
      image: text, bind: text, port: unit.integer, cpus: unit.decimal, memory: unit.size,
      /** How long a client's head, a silent client, an answer's beginning, and a silent websocket are waited for. */
      timeouts: z.strictObject({ headers: unit.duration, idle: unit.duration, answer: unit.duration, websocket: unit.duration }),
      /** Of a request's or an answer's head. */
      headerBytes: unit.size,
      /** Connections that one address may hold. */
      connectionsPerSource: unit.integer,
      /** Addresses and CIDRs of proxies in front, whose `X-Forwarded-*` are believed. */
      trusted: z.array(text, { error: "expected a list of addresses and CIDRs" }),
    },
  };
}

const config = fields(CONFIG);

/** `extend`: for as long again, a few times, then as `hold`: it keeps its share until a person decides. */
export const ON_INSUFFICIENT = ["hold", "extend", "promote", "fail"] as const;

const ACTIONS = ["rollback", "freeze", "alert", "off"] as const;
/** One rule of the watch: what is above the threshold within (or for) a span of time has its consequence. */
const rule = <T extends z.ZodType<number>>(above: T) =>
  z.strictObject({ above, within: CONFIG.duration, action: z.enum(ACTIONS, { error: `expected one of ${ACTIONS.join(", ")}` }) });

/** Config laid over the defaults -> {@link Settings}. Unknown keys are refused. */
export const settingsSchema = z.strictObject({
  ...config.top,
  app: z.strictObject({ ...config.app, secretEnv: z.record(z.string(), configEnv) }),
  backup: z.strictObject({
    ...config.top.backup.shape,
    /** A restic repository that each backup is sent to; without it, none leaves this machine. */
    repository: text.optional(),
    repositoryPassword: text.optional(),
    /** Environment variables for restic. */
    repositoryEnv: z.record(z.string(), configEnv),
  }),
  checklist: z.strictObject({
    ...config.top.checklist.shape,
    /** For how long a pass is good. */
    maxAge: CONFIG.duration,
    /** The stack that a tag is tried on first. */
    staging: text,
    /** Of each of its commands. */
    deadline: CONFIG.duration,
    /** What staging must keep within: its slowest answers, and its share of errors from 0 to 1. */
    p99: CONFIG.duration,
    errorRate: CONFIG.decimal,
    /** For a shell, in a copy of the tag's files; without them, what the files themselves tell of. */
    tests: text.optional(),
    types: text.optional(),
    lint: text.optional(),
  }),
  qdrant: z.strictObject({ ...config.qdrant, apiKey: text.optional() }),
  proxy: z.strictObject({ ...config.proxy, allowInterruption: CONFIG.flag }),
  /** Who else is told of a release. */
  notify: z.strictObject({
    /** Of one try, and how many there are in a row; what fails them all is tried again at the next run. */
    timeout: CONFIG.duration,
    attempts: CONFIG.integer,
    /** Address of Slack's incoming webhook: who knows it can post, so it is a secret. */
    slackWebhook: text.optional(),
    email: z.strictObject({
      host: text.optional(),
      port: CONFIG.integer,
      security: z.enum(["starttls", "tls", "none"], { error: "expected starttls, tls or none" }),
      user: text.optional(),
      password: text.optional(),
      from: text.optional(),
      /** Addresses, parted by commas. */
      to: text.optional(),
    }),
    /** A file that is run with the event as JSON on its standard input. */
    command: text.optional(),
  }),
  /** Which data to run on; without it, that which serves. One that is new is made from a backup. */
  data: z.strictObject({
    generation: text.optional(),
    /** Directory name below `backups/<stack>/`. */
    restoreFrom: text.optional(),
    /** The other part stays where it is. */
    only: z.enum(["qdrant", "uploads"], { error: "expected qdrant or uploads" }).optional(),
  }),
  /** An install that is there already: its containers give way to the first release, which takes up its volumes. */
  adopt: z.strictObject({ qdrantVolume: text, uploadsVolume: text, containers: z.array(text, { error: "expected a list of names" }) }).optional(),
  /** A release that is tried with a share of the new users, beside the one that serves. Today's values hold. */
  canary: z.strictObject({
    /** Its git tag; absent, or the same as `version`: there is none. */
    version: text.optional(),
    /** Percent of new users; `steps`: several shares, one after another. */
    weight: CONFIG.integer,
    steps: z.array(CONFIG.integer, { error: "expected a list of whole numbers" }).optional(),
    /** How long it is judged in each step. */
    duration: CONFIG.duration,
    /** Streamlit sessions on either release that fill in for users. */
    synthetic: CONFIG.integer,
    /** What is done when that was not enough to tell. */
    onInsufficient: z.enum(ON_INSUFFICIENT, { error: `expected one of ${ON_INSUFFICIENT.join(", ")}` }),
    thresholds: z.strictObject({
      /** Percentage points of failed requests, and percent of a page's time, that it may be worse by. */
      errors: CONFIG.decimal, slower: CONFIG.decimal,
      /** So much slower it may be in any case. */
      slack: CONFIG.duration,
      /** Limits of its answer times, whatever serves does. */
      p50: CONFIG.duration.optional(), p99: CONFIG.duration,
      /** Percent of the limit. */
      memory: CONFIG.decimal,
    }),
  }),
  /** What a release is watched for after it, and for how long; 0: it is not. Today's values hold, whatever release serves. */
  watch: z.strictObject({
    for: CONFIG.duration,
    /** From one look to the next. */
    interval: CONFIG.duration,
    /** Fewer within a rule's span say nothing of errors and latencies. */
    minRequests: CONFIG.integer,
    /** Percent of requests; `fewErrors` is for a warning below `errors`. */
    errors: rule(CONFIG.decimal), fewErrors: rule(CONFIG.decimal),
    /** The 99th percentile of answer times. */
    latency: rule(CONFIG.duration),
    /** Failed rounds of health checks. */
    health: rule(CONFIG.integer),
    /** Percent of the limit. */
    memory: rule(CONFIG.decimal),
  }),
  /** Renewed by the CLI when the last run did not end well: takes a new backup and gates again. */
  attempt: text,
  /** The revision whose former release is to be removed. */
  finish: text,
  /** A revision that was released here: its commit is that of its record, whatever the tag names today. For going back. */
  asReleased: text,
  /** Keeps the present release as its record says, whatever else config says: undoes a failed update. */
  reapply: CONFIG.flag,
});

/** What the ledger keeps of settings: no secrets, nothing that is meant for one run only. */
function withoutSecrets<N extends z.ZodType<number>, B extends z.ZodType<boolean>, T extends z.ZodType<string>>(parts: ReturnType<typeof fields<N, B, T>>) {
  return z.strictObject({ ...parts.top, app: z.strictObject(parts.app), qdrant: z.strictObject(parts.qdrant), proxy: z.strictObject(parts.proxy) });
}

/** As in the ledger: plain numbers. */
export const recordedSchema = withoutSecrets(fields(RECORDED));
/** The same fields as config has them: with units. Its `encode` leads back from the ledger to config. */
export const recordedConfigSchema = withoutSecrets(config);

/** Everything that an operator can set, after defaults and units: bytes, milliseconds. */
export type Settings = z.output<typeof settingsSchema>;
/** {@link Settings} as a release's record keeps them. */
export type RecordedSettings = z.output<typeof recordedSchema>;
