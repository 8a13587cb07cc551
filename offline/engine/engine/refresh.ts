import { messageOf } from "../errors.js";
import type { Resource } from "../state/checkpoint.js";
import type { Store } from "../state/store.js";
import { equal, isObject, remark, revealProps, type Props, type Value } from "../values.js";
import type { Events } from "./events.js";
import type { Executor } from "./executor.js";
import { needs } from "./plan.js";
import type { ProviderResources } from "./provider-resources.js";
import { isProviderType } from "./urn.js";

/** What a refresh works with. */
export interface RefreshParts {
  store: Store;
  events: Events;
  executor: Executor;
  providers: ProviderResources;
  /** A refresh before an update is shown where it finds something, but not counted. */
  counted: boolean;
}

/** Looks every resource up, and brings the state in line with what there is. */
export async function refreshAll(resources: readonly Resource[], parts: RefreshParts): Promise<void> {
  for (const each of resources) if (!each.custom || each.external === true) parts.events.done({ op: "same", urn: each.urn, counted: parts.counted });
  const real = resources.filter((each) => each.custom && each.external !== true && !isProviderType(each.type));
  const results = await Promise.allSettled(real.map((resource) => refreshOne(resource, parts)));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw new Error(messageOf(failed.reason));
  forgetMissing(resources, real.filter((_, index) => isGone(results[index])), parts);
}

const isGone = (result: PromiseSettledResult<boolean> | undefined): boolean =>
  result?.status === "fulfilled" && !result.value;

/** Answers whether the resource is still there. */
async function refreshOne(resource: Resource, parts: RefreshParts): Promise<boolean> {
  const { events, executor, providers } = parts;
  // What was deleted to make room for its replacement cannot be looked up.
  if (resource.pendingReplacement === true) return true;
  const old = { ...resource };
  const { counted } = parts;
  const step = { op: "refresh", urn: resource.urn, old, next: resource, counted } as const;
  events.started(step);
  try {
    const provider = await providers.of(resource.provider ?? "");
    const [inputs, outputs] = [revealProps(resource.inputs ?? {}), revealProps(resource.outputs ?? {})];
    const found = await provider.read(executor.call(resource), resource.id ?? "", inputs, outputs);
    if (found === undefined) {
      events.done({ op: "delete", urn: resource.urn, old, counted });
      return false;
    }
    const changed = Object.keys({ ...outputs, ...found.outputs }).filter(
      (key) => !key.startsWith("__") && !alike(outputs[key], found.outputs[key]),
    );
    if (changed.length === 0) {
      events.done({ ...step, op: "same" });
      return true;
    }
    resource.outputs = remark({ ...kept(resource, found.outputs), ...found.outputs }, resource.inputs ?? {});
    events.done({ ...step, op: "update", keys: changed.sort() });
    return true;
  } catch (error) {
    events.failed(step, error);
    throw error;
  }
}

/** Nothing can be written in several ways: as null, as zero, as an empty list. */
const alike = (a: Value | undefined, b: Value | undefined): boolean => equal(bare(a), bare(b));

function bare(value: Value | undefined): Value | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.map((item) => bare(item) ?? null);
  if (!isObject(value)) return value === null || value === "" || value === 0 || value === false ? undefined : value;
  const parts = Object.entries(value).flatMap(([key, item]) => {
    const part = bare(item);
    return part === undefined ? [] : [[key, part] as const];
  });
  return parts.length === 0 ? undefined : Object.fromEntries(parts);
}

/** How the real provider packs the very outputs it stands beside: it crashes on others. */
const PACKING = "__pulumi_raw_state_delta";

/** The engine's own outputs survive a look-up that does not know them. */
function kept(resource: Resource, found: Props): Props {
  const own = Object.entries(resource.outputs ?? {}).filter(([key]) => key.startsWith("__") && key !== PACKING && !(key in found));
  return Object.fromEntries(own);
}

/** Takes what has gone out of the state, and out of what others say they need. */
function forgetMissing(resources: readonly Resource[], missing: readonly Resource[], parts: RefreshParts): void {
  const gone = new Set(missing.map((each) => each.urn));
  for (const each of missing) parts.store.drop(each);
  for (const each of resources) {
    if (gone.has(each.urn) || !needs(each).some((urn) => gone.has(urn))) continue;
    each.dependencies = each.dependencies?.filter((urn) => !gone.has(urn));
    for (const [key, urns] of Object.entries(each.propertyDependencies ?? {})) {
      if (each.propertyDependencies !== undefined) each.propertyDependencies[key] = urns.filter((urn) => !gone.has(urn));
    }
    if (each.deletedWith !== undefined && gone.has(each.deletedWith)) delete each.deletedWith;
  }
}
