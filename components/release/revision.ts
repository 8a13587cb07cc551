/** What makes a revision of the app: everything that its containers are made from, as a name. Pure. */
import { createHash, scryptSync } from "node:crypto";
import { FORMER_HARDENING, type Hardening, type HardeningArgs, hardeningArgs } from "../app/hardening.js";
import type { RecordedSettings, Settings } from "../settings/schema.js";
import { tagSlug } from "./names.js";

/** Raised when the program declares its containers differently, so that an upgrade of it makes a new revision too. */
const FORM = 2;
/** Length of the digest in a revision's name, in hex digits. */
const DIGEST = 8;

/** Secrets that containers are made with, as digests that can be kept where secrets cannot. */
export interface SecretDigests {
  /** Over all of the app's secret environment and Qdrant's API key; "" where there are none. */
  app: string;
  /** Of Qdrant's API key, "" for none. */
  qdrantKey: string;
}

/**
 * Slow on purpose (scrypt, about 50 ms for each), and salted with the stack: digests in the state must not help to guess.
 */
export function secretDigests(stack: string, settings: Settings): SecretDigests {
  const { apiKey } = settings.qdrant;
  const secrets = Object.entries(settings.app.secretEnv).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    app: secrets.length === 0 && apiKey === undefined ? "" : slowDigest(stack, canonical({ secrets, apiKey: apiKey ?? "" })),
    qdrantKey: apiKey === undefined ? "" : slowDigest(stack, apiKey).slice(0, DIGEST),
  };
}

function slowDigest(stack: string, text: string): string {
  return scryptSync(text, `pbjrag:${stack}`, 32).toString("hex");
}

export interface RevisionInput {
  tag: string;
  commit: string;
  settings: Pick<RecordedSettings, "app">;
  /** The containers' whole environment but for secrets. */
  env: Readonly<Record<string, string>>;
  /** {@link SecretDigests.app} */
  secrets: string;
  generation: string;
}

/** `<tag slug>-<8 hex>` */
export function revisionName(input: RevisionInput): string {
  const { replicas, cpus, memory, port, dockerfile, uploadsPath, health, hardening } = input.settings.app;
  const spec = {
    form: FORM, tag: input.tag, commit: input.commit, replicas, cpus, memory, port, dockerfile, uploadsPath, health,
    env: input.env, secrets: input.secrets, generation: input.generation, hardening: hardeningIn(hardening),
  };
  return `${tagSlug(input.tag)}-${createHash("sha256").update(canonical(spec)).digest("hex").slice(0, DIGEST)}`;
}

/** By its effect, and only where that is not what it was before it could be configured: those releases keep their names. */
function hardeningIn(hardening: Hardening): HardeningArgs | undefined {
  const args = hardeningArgs(hardening);
  return canonical(args) === canonical(hardeningArgs(FORMER_HARDENING)) ? undefined : args;
}

/** JSON with sorted keys: the same content gives the same text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}
