import * as pulumi from "@pulumi/pulumi";
import type { Plan, Problem } from "../release/model.js";
import { isObject, type Raw, type RawObject } from "../settings/defaults.js";
import type { Settings } from "../settings/schema.js";
import { guardProblems, type Permitted } from "./rules.js";

/** What this update may declare. Pure. */
export function permittedBy({ serving, former, canary }: Pick<Plan, "serving" | "former" | "canary">, { environment, proxy }: Pick<Settings, "environment" | "proxy">): Permitted {
  const revisions = [serving, ...(former === null ? [] : [former]), ...(canary === null ? [] : [canary.revision])];
  return { environment, proxy, hardening: Object.fromEntries(revisions.map(({ revision, settings }) => [revision, settings.app.hardening])) };
}

/**
 * Looks at each resource as it is declared, below the one that has {@link look} as its transformation. What is declared reaches the engine
 * later: so with a problem nothing of it has been made yet, if the program ends at once.
 */
export class Guard {
  readonly problems: Problem[] = [];

  constructor(private readonly permitted: Permitted) {}

  readonly look: pulumi.ResourceTransformation = ({ type, name, props, opts }) => {
    this.problems.push(...guardProblems({ type, name, props: plainProps(props), retainOnDelete: opts.retainOnDelete === true }, this.permitted));
    return undefined;
  };
}

/** Without what is not known yet. */
function plainProps(props: unknown): RawObject {
  const plain = plainOf(props);
  return isObject(plain) ? plain : {};
}

function plainOf(value: unknown): Raw {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return null;
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainOf(inner)]));
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : null;
}
