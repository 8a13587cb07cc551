/** What traffic is: who serves, and how the front door is spoken to. */
import { z } from "zod";
import { FIRST_GENERATION, GENERATION_NAME, STACK_NAME, stackNames } from "../release/names.js";

/** Port of the front door inside its container. */
export const FRONT_PORT = 8080;
/** Port of the operator's entrance inside the proxy's container. It is not published. */
export const CONTROL_PORT = 8081;
/** Where an old worker hands requests over to the newest one: loopback of the proxy's container, PROXY protocol. */
export const HANDOVER_PORT = 8082;
/** Directory of the proxy's volume, and the one file in it that says everything: see live-file.ts. */
export const LIVE_DIR = "/live";
export const LIVE_FILE = "/live/haproxy.cfg";
/** HAProxy's master answers here, inside its container only. */
export const MASTER_PORT = 9999;
/** A user's release and replica, signed: see config/backends.ts. */
export const COOKIE = "pbjrag_release";
/** Sends a request to the container of this name; only together with {@link KEY_HEADER}. */
export const PREVIEW_HEADER = "X-Release-Preview";
/** TCP port of the previewed container; without it that of the serving release, or 8501. */
export const PORT_HEADER = "X-Release-Port";
export const KEY_HEADER = "X-Release-Key";
/** Within the proxy: the revision that has answered for a part of the page. */
export const ANSWERED_BY = "X-Release-By";
/** Answers, to who has the key, `<digest>`. */
export const DIGEST_PATH = "/.release/digest";
/** Answers, to who has the key, `<digest> <table>` as {@link encodeTable} wrote it. */
export const TABLE_PATH = "/.release/table";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;
/** Characters that need no quoting in HAProxy's config. */
const URL_PATH = /^\/[A-Za-z0-9._~%/?=&+-]*$/;

const trafficRevision = z.strictObject({
  revision: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/),
  /** For people only: it gets nowhere near a name or a rule. */
  tag: z.string().max(200),
  /** In the order of their index, from 1. */
  containers: z.array(z.string().regex(NAME)).min(1).max(99),
  port: z.int().min(1).max(65535),
  healthPath: z.string().max(500).regex(URL_PATH),
  /** Path that runs the app's script, where it is not Streamlit's own: for who has the key only, like that one. */
  scriptPath: z.string().max(500).regex(URL_PATH).optional(),
  /** Data generation that it runs on; absent for the first. Moving between two of them is never done in passing. */
  generation: z.string().regex(GENERATION_NAME).optional(),
});

const trafficCanary = z.strictObject({
  revision: trafficRevision,
  /** Percent of the users that load a page and are on no release yet; 0: nobody is on it, nor comes back to it. */
  weight: z.int().min(0).max(99),
  /**
   * Its share ends then, in seconds since 1970; absent: when somebody says so. A lease, as that of a pause: whoever judges it may be
   * killed.
   */
  until: z.int().min(1).optional(),
});

const trafficTable = z
  .strictObject({
    schema: z.literal(1),
    stack: z.string().max(63).regex(STACK_NAME),
    /** The release's number in the ledger; 0 before the first. */
    seq: z.int().min(0),
    /** Who gets new users; null: a page that says that nothing serves. */
    serving: trafficRevision.nullable(),
    /** Keeps the users that it has, until they load a page. */
    former: trafficRevision.nullable(),
    /** A rollback left the former: nobody is sent to it any more, only what is open goes on. */
    abandoned: z.boolean(),
    /** The revision that a plain rollback goes to; null: none. */
    rollbackTo: z.string().max(64).nullable(),
    /**
     * Writes are paused until then, in seconds since 1970; absent: they are not. A lease: a run that is killed need not be
     * there to end it.
     */
    frozenUntil: z.int().min(1).optional(),
    /** A release that is tried beside the one that serves. */
    canary: trafficCanary.optional(),
  })
  .superRefine((table, context) => {
    const prefix = stackNames(table.stack).appPrefix;
    const sides = { serving: table.serving, former: table.former, canary: table.canary?.revision };
    for (const [side, revision] of Object.entries(sides)) {
      for (const name of revision?.containers ?? []) {
        if (!name.startsWith(prefix)) {
          context.addIssue({ code: "custom", path: [side, "containers"], message: `${JSON.stringify(name)} does not begin with ${prefix}` });
        }
      }
    }
    const tried = table.canary?.revision.revision;
    if (tried !== undefined && (table.serving === null || tried === table.serving.revision || tried === table.former?.revision)) {
      context.addIssue({ code: "custom", path: ["canary"], message: "is not beside a release that serves" });
    }
    if (table.serving !== null && table.serving.revision === table.former?.revision) {
      context.addIssue({ code: "custom", path: ["former"], message: "is the serving revision as well" });
    }
  });

export type TrafficCanary = z.output<typeof trafficCanary>;
export type TrafficRevision = z.output<typeof trafficRevision>;
export type TrafficTable = z.output<typeof trafficTable>;

/** Those that users may be on: with the canary also when it has no share, or has lost it. */
export function revisionsOf({ serving, former, canary }: Pick<TrafficTable, "serving" | "former" | "canary">): TrafficRevision[] {
  return [serving, former, canary?.revision ?? null].flatMap((one) => one ?? []);
}

/** @throws Error that names each part that cannot be put into a proxy's config */
export function checkTable(value: unknown): TrafficTable {
  const checked = trafficTable.safeParse(value);
  if (!checked.success) {
    throw new Error(`the traffic table is refused: ${checked.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; ")}`);
  }
  return checked.data;
}

/** When what is given for a time ends. @returns seconds since 1970, as a table has them */
export function leaseEnd(leaseMs: number): number {
  return Math.ceil((Date.now() + leaseMs) / 1000);
}

/** Before the first release: nothing serves. */
export function emptyTable(stack: string): TrafficTable {
  return { schema: 1, stack, seq: 0, serving: null, former: null, abandoned: false, rollbackTo: null };
}

/** Whether two tables say the same, whatever the order of their keys. */
export function sameTable(a: TrafficTable, b: TrafficTable): boolean {
  return JSON.stringify(checkTable(a)) === JSON.stringify(checkTable(b));
}

/** Who serves, for a person; "" when nothing does. */
export function servingName(table: TrafficTable | null): string {
  const serving = table?.serving ?? null;
  return serving === null ? "" : `${serving.tag} (${serving.revision})`;
}

/** Which data a release's users are on. */
export function generationOf({ generation = FIRST_GENERATION }: Pick<TrafficRevision, "generation">): string {
  return generation;
}

/** Headers that lead a request to one container, past the routes. */
export function previewHeaders(previewKey: string, container: string, port: number): Record<string, string> {
  return { [PREVIEW_HEADER]: container, [PORT_HEADER]: String(port), [KEY_HEADER]: previewKey };
}
