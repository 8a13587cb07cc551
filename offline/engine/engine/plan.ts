import type { Diff } from "../providers/provider.js";
import { namesProperty } from "../paths.js";
import type { Resource } from "../state/checkpoint.js";
import type { Goal } from "./goal.js";

/** What is to be done for one resource. */
export type Plan =
  | { op: "create" }
  | { op: "same" }
  | { op: "update"; diff: Diff }
  /** `first`: the old one is deleted before the new one is made; `gone`: it has been already. */
  | { op: "replace"; diff: Diff; order: "first" | "last" | "gone" };

/** Decides what to do, from the old state and what the provider says of the difference. */
export function planFor(goal: Goal, old: Resource | undefined, diff: Diff, deletedEarly: boolean): Plan {
  if (old === undefined) return { op: "create" };
  if (deletedEarly || old.pendingReplacement === true) return { op: "replace", diff, order: "gone" };
  const forced = diff.changed ? diff.keys.filter((key) => isReplaceKey(goal, key)) : [];
  const replaceKeys = diff.changed ? [...new Set([...diff.replaceKeys, ...forced])] : [];
  if (replaceKeys.length > 0) {
    const first = goal.deleteBeforeReplace ?? diff.deleteBeforeReplace;
    return { op: "replace", diff: { ...diff, replaceKeys }, order: first ? "first" : "last" };
  }
  if (diff.changed) return { op: "update", diff };
  // It was made but not ready: an update without a change lets the provider go on.
  return (old.initErrors ?? []).length > 0 ? { op: "update", diff } : { op: "same" };
}

const isReplaceKey = (goal: Goal, key: string): boolean =>
  goal.replaceOnChanges.some((path) => namesProperty(path, key));

/** Every resource that a resource needs to exist. */
export function needs(resource: Resource): string[] {
  const properties = Object.values(resource.propertyDependencies ?? {}).flat();
  const { parent, provider, deletedWith } = resource;
  const single = [parent, provider === undefined ? undefined : providerUrn(provider), deletedWith];
  const named = single.filter((urn): urn is string => urn !== undefined && urn !== "");
  return [...new Set([...(resource.dependencies ?? []), ...properties, ...named])];
}

/** The URN in a provider reference `urn::id`. */
export function providerUrn(reference: string): string {
  return reference.slice(0, reference.lastIndexOf("::"));
}

/**
 * Groups resources for deletion: each group needs only what is in later groups, so that a group's members
 * can be deleted side by side.
 */
export function deletionGroups(resources: readonly Resource[]): Resource[][] {
  const groups: Resource[][] = [];
  let left = [...resources];
  while (left.length > 0) {
    const needed = new Set(left.flatMap(needs));
    // Two entries may share a URN (a replaced one and its replacement): then the later goes first.
    const free = left.filter((each) => !needed.has(each.urn));
    const group = free.length > 0 ? free : left.slice(-1);
    groups.push(group);
    left = left.filter((each) => !group.includes(each));
  }
  return groups;
}
