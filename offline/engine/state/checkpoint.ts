import { createHash } from "node:crypto";
import { fail } from "../errors.js";
import type { Crypter } from "../secrets.js";
import { SECRET, SIGNATURE, isObject, isSecret, type Props, type Value } from "../values.js";

/** One resource as the state holds it. Fields this engine does not know are carried along. */
export interface Resource {
  urn: string;
  custom: boolean;
  type: string;
  id?: string;
  inputs?: Props;
  outputs?: Props;
  parent?: string;
  provider?: string;
  dependencies?: string[];
  propertyDependencies?: Record<string, string[]>;
  additionalSecretOutputs?: string[];
  ignoreChanges?: string[];
  replaceOnChanges?: string[];
  initErrors?: string[];
  customTimeouts?: Value;
  aliases?: string[];
  deletedWith?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  external?: boolean;
  /** A replaced resource that is still to be deleted. */
  delete?: boolean;
  /** A resource deleted already, whose replacement was not made. */
  pendingReplacement?: boolean;
  created?: string;
  modified?: string;
}

/** An operation that was under way when the state was written. */
export interface Operation {
  resource: Resource;
  type: "creating" | "updating" | "deleting" | "reading";
}

/** What a state file says about a stack. */
export interface Snapshot {
  resources: Resource[];
  operations: Operation[];
  /** The salt of the secrets in it. */
  salt: string;
  time?: string;
}

/** The deployment part of a state file; `stack export` shows the same. */
export interface Deployment {
  manifest: { time: string; magic: string; version: string };
  secrets_providers?: { type: string; state?: { salt?: string } };
  resources?: Resource[];
  pending_operations?: Operation[];
  metadata?: Value;
}

/** A whole state file. */
export interface Checkpoint {
  version: 3;
  checkpoint: { stack: string; latest?: Deployment };
}

/** The manifest of a state written now by this version. */
export function manifest(version: string, now: Date): Deployment["manifest"] {
  return { time: now.toISOString(), magic: createHash("sha256").update(version).digest("hex"), version };
}

/** Writes states, and keeps the ciphertext of a secret for as long as its plaintext stays the same. */
export class Codec {
  private readonly known = new Map<string, string>();

  constructor(private readonly crypter: Crypter) {}

  /** The salt it encrypts with. */
  get salt(): string {
    return this.crypter.salt;
  }

  /** The snapshot of a deployment, its secrets decrypted. */
  decode(deployment: Deployment | undefined): Snapshot {
    const operations = deployment?.pending_operations ?? [];
    return {
      resources: (deployment?.resources ?? []).map((resource) => this.resource(resource, "decode")),
      operations: operations.map((each) => ({ ...each, resource: this.resource(each.resource, "decode") })),
      salt: this.crypter.salt,
      time: deployment?.manifest.time,
    };
  }

  /** The deployment of a snapshot, its secrets encrypted. */
  encode(snapshot: Snapshot, version: string, now: Date): Deployment {
    const pending = snapshot.operations.map((each) => ({
      ...each,
      resource: this.resource(each.resource, "encode"),
    }));
    return {
      manifest: manifest(version, now),
      secrets_providers: { type: "passphrase", state: { salt: this.crypter.salt } },
      resources: snapshot.resources.map((resource) => this.resource(resource, "encode")),
      ...(pending.length > 0 ? { pending_operations: pending } : {}),
      metadata: {},
    };
  }

  private resource(resource: Resource, way: "decode" | "encode"): Resource {
    const { inputs, outputs, ...rest } = resource;
    return {
      ...rest,
      ...(inputs === undefined ? {} : { inputs: this.props(inputs, resource.urn, way) }),
      ...(outputs === undefined ? {} : { outputs: this.props(outputs, resource.urn, way) }),
    };
  }

  private props(props: Props, urn: string, way: "decode" | "encode"): Props {
    return this.value(props, urn, way) as Props;
  }

  private value(value: Value, urn: string, way: "decode" | "encode"): Value {
    if (Array.isArray(value)) return value.map((item) => this.value(item, urn, way));
    if (!isObject(value)) return value;
    // A secret is an object with a signature: nothing below it is looked at here.
    if (isSecret(value)) return way === "decode" ? this.decrypted(value, urn) : this.encrypted(value, urn);
    const entries: [string, Value][] = Object.entries(value);
    return Object.fromEntries(entries.map(([key, item]) => [key, this.value(item, urn, way)]));
  }

  private decrypted(sealed: { [key: string]: Value }, urn: string): Value {
    const { ciphertext } = sealed;
    if (typeof ciphertext !== "string") fail(`the state of ${urn} holds a secret without a ciphertext`);
    const text = this.crypter.decrypt(ciphertext);
    this.known.set(`${urn}\n${text}`, ciphertext);
    return { [SIGNATURE]: SECRET, value: this.value(JSON.parse(text) as Value, urn, "decode") };
  }

  private encrypted(open: { [key: string]: Value }, urn: string): Value {
    const text = JSON.stringify(this.value(open.value ?? null, urn, "encode"));
    const key = `${urn}\n${text}`;
    const ciphertext = this.known.get(key) ?? this.crypter.encrypt(text);
    this.known.set(key, ciphertext);
    return { [SIGNATURE]: SECRET, ciphertext };
  }
}
