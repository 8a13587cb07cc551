import { CommandError, messageOf } from "../errors.js";
import type { Resource } from "../state/checkpoint.js";
import type { Store } from "../state/store.js";
import type { Events, Op, Step } from "./events.js";
import type { Executor } from "./executor.js";
import { deletionGroups } from "./plan.js";
import type { ProviderResources } from "./provider-resources.js";
import { isProviderType, nameOf } from "./urn.js";

/** What deletions work with. */
export interface DeletionParts {
  store: Store;
  events: Events;
  executor: Executor;
  providers: ProviderResources;
  /** Whether the update has been cancelled in the meantime. */
  stopped(): boolean;
}

/** Deletes resources in the reverse of the order in which they need each other. */
export async function deleteAll(resources: readonly Resource[], parts: DeletionParts): Promise<void> {
  const { store, events, executor, providers } = parts;
  const kept = resources.filter((each) => each.protect === true && each.delete !== true && each.pendingReplacement !== true);
  for (const each of kept) events.message("error", each.urn, protectedMessage(each.urn));
  if (kept.length > 0) throw new CommandError("resources are protected from deletion");
  const going = new Set(resources.map((each) => each.urn));
  const one = async (old: Resource): Promise<void> => {
    // Deleted by an earlier update, which did not come to make its replacement.
    if (old.pendingReplacement === true) return store.drop(old);
    const step: Step & { old: Resource } = { op: opOf(old), urn: old.urn, old, hidden: isDefaultProvider(old) || old.external === true };
    const outside = old.custom && old.external !== true && !isProviderType(old.type);
    const withOther = old.deletedWith !== undefined && going.has(old.deletedWith);
    const provider = outside && !withOther && !executor.preview ? await providers.of(old.provider ?? "") : undefined;
    await executor.delete(step, provider, false);
  };
  for (const group of deletionGroups(resources)) {
    if (parts.stopped()) return;
    const results = await Promise.allSettled(group.map(one));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw new CommandError(messageOf(failed.reason));
  }
}

function opOf(old: Resource): Op {
  if (old.external === true) return "discard";
  return old.delete === true ? "delete-replaced" : "delete";
}

const isDefaultProvider = (old: Resource): boolean => isProviderType(old.type) && /^default(_|$)/.test(nameOf(old.urn));

const protectedMessage = (urn: string): string =>
  `resource "${urn}" cannot be deleted\nbecause it is protected. To unprotect the resource, ` +
  "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`";
