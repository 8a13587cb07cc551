import { fail } from "../errors.js";
import { takeOld } from "../paths.js";
import type { Diff, Provider } from "../providers/provider.js";
import type { StackName } from "../state/backend.js";
import type { Resource } from "../state/checkpoint.js";
import type { Store } from "../state/store.js";
import { equal, remark, revealProps, UNKNOWN, withoutNulls, type Props } from "../values.js";
import type { Events } from "./events.js";
import type { Executor } from "./executor.js";
import { stateOf, type Goal } from "./goal.js";
import { planFor, providerUrn } from "./plan.js";
import type { ProviderResources } from "./provider-resources.js";
import { REFERENCE_TYPE, isProviderType, packageOf } from "./urn.js";

/** A read of something the program does not own; only stack references are served. */
export interface ReadRequest {
  urn: string;
  id: string;
  parent?: string;
  inputs: Props;
  dependencies: string[];
}

/** What a deployment works with. */
export interface DeploymentParts {
  stack: StackName;
  olds: Map<string, Resource>;
  store: Store;
  events: Events;
  executor: Executor;
  providers: ProviderResources;
  /** The last outputs of a stack, by its full name. */
  outputsOf(stack: string): Promise<Props>;
}

/** Serves a program's registrations: finds out what each needs, and does it. */
export class Deployment {
  private readonly seen = new Set<string>();
  /** Deleted already because something they depend on was to be replaced. */
  private readonly deletedEarly = new Set<string>();
  private readonly states = new Map<string, Resource>();

  constructor(private readonly parts: DeploymentParts) {}

  /** The URNs the program has registered. */
  get registered(): ReadonlySet<string> {
    return this.seen;
  }

  /** Registers a resource and answers its state. */
  async register(goal: Goal): Promise<Resource> {
    if (this.seen.has(goal.urn)) fail(`Duplicate resource URN '${goal.urn}'; try giving it a unique name`);
    this.seen.add(goal.urn);
    const state = isProviderType(goal.type)
      ? this.parts.providers.register(goal)
      : goal.custom
        ? await this.custom(goal)
        : this.component(goal);
    this.states.set(goal.urn, state);
    return state;
  }

  /** Takes a component's, or the stack's, outputs. */
  registerOutputs(urn: string, outputs: Props): void {
    const state = this.states.get(urn);
    if (state === undefined) fail(`outputs of an unknown resource: ${urn}`);
    const before = state.outputs;
    state.outputs = withoutNulls(outputs);
    // On disk before anything is deleted: an update that is killed then has released what its outputs say.
    if (!equal(before, state.outputs)) this.parts.store.save();
  }

  /** Reads a stack reference. */
  async read(request: ReadRequest): Promise<Resource> {
    const { urn, id } = request;
    const provider = this.parts.providers.default("pulumi", "");
    const outputs = await this.parts.outputsOf(id);
    const secretOutputNames = Object.keys(outputs).filter((key) => !equal(outputs[key], revealProps(outputs)[key]));
    const next: Resource = {
      urn,
      custom: true,
      id,
      type: REFERENCE_TYPE,
      inputs: request.inputs,
      outputs: { name: id, outputs, secretOutputNames },
      parent: request.parent,
      external: true,
      provider,
      dependencies: request.dependencies.length === 0 ? undefined : request.dependencies,
    };
    const old = this.parts.olds.get(urn);
    this.seen.add(urn);
    this.parts.store.add(next, old);
    // A read that finds what it found before is no news; it is not counted either.
    const hidden = old !== undefined && equal(old.outputs, next.outputs);
    this.parts.events.done({ op: "read", urn, old, next, hidden });
    return next;
  }

  private component(goal: Goal): Resource {
    const old = this.old(goal);
    const next = stateOf(goal, goal.inputs, "");
    const now = new Date().toISOString();
    const changed = old !== undefined && !equal(old.inputs ?? {}, goal.inputs);
    next.outputs = old?.outputs ?? {};
    next.created = old?.created ?? now;
    next.modified = old === undefined || changed ? now : old.modified;
    this.parts.store.add(next, old);
    const op = old === undefined ? "create" : changed ? "update" : "same";
    this.parts.events.started({ op, urn: goal.urn, old, next });
    this.parts.events.done({ op, urn: goal.urn, old, next });
    return next;
  }

  private async custom(goal: Goal): Promise<Resource> {
    const { executor, providers, events } = this.parts;
    const { urn } = goal;
    const reference = goal.provider === "" ? providers.default(packageOf(goal.type), goal.version) : goal.provider;
    const provider = await providers.of(reference);
    const old = this.old(goal);
    const ignoring = old === undefined ? goal.inputs : takeOld(goal.inputs, old.inputs ?? {}, goal.ignoreChanges);
    const inputs = await this.checked(goal, provider, old, ignoring);
    const diff = await this.diff(goal, provider, old, inputs, reference);
    const plan = planFor(goal, old, diff, this.deletedEarly.has(urn));
    const next = stateOf(goal, inputs, reference);
    if (plan.op === "create" || old === undefined) {
      await executor.create({ op: "create", urn, next }, provider);
    } else if (plan.op === "same") {
      this.same(old, next);
    } else if (plan.op === "update") {
      await executor.update({ op: "update", urn, old, next, keys: plan.diff.keys }, provider);
    } else {
      if (goal.protect && old.protect === true) fail(protectedMessage(urn));
      // Defaults (a name made up) are not carried over to a replacement.
      next.inputs = await this.checked(goal, provider, undefined, goal.inputs);
      if (plan.order === "first") await this.deleteFirst(old);
      const { keys, replaceKeys } = plan.diff;
      events.started({ op: "replace", urn, old, next, keys, replaceKeys });
      events.done({ op: "replace", urn, old, next, keys, replaceKeys });
      const step = { op: "create-replacement", urn, old, next, keys, replaceKeys } as const;
      if (plan.order === "last") {
        await executor.create(step, provider);
        old.delete = true;
        this.parts.store.save();
      } else {
        await executor.create(step, provider, old);
      }
    }
    return next;
  }

  /** The resource as the last state has it, under this URN or an earlier one. */
  private old(goal: Goal): Resource | undefined {
    const urn = [goal.urn, ...goal.aliases].find((each) => this.parts.olds.has(each));
    if (urn === undefined) return undefined;
    this.seen.add(urn);
    return this.parts.olds.get(urn);
  }

  private same(old: Resource, next: Resource): void {
    Object.assign(next, { id: old.id, outputs: old.outputs, created: old.created, modified: old.modified });
    this.parts.store.add(next, old);
    this.parts.events.done({ op: "same", urn: next.urn, old, next });
  }

  private async checked(goal: Goal, provider: Provider, old: Resource | undefined, news: Props): Promise<Props> {
    const olds = old?.inputs === undefined ? undefined : revealProps(old.inputs);
    return remark(await provider.check(this.parts.executor.call(goal), olds, revealProps(news)), news);
  }

  private async diff(goal: Goal, provider: Provider, old: Resource | undefined, inputs: Props, reference: string): Promise<Diff> {
    const none: Diff = { changed: false, keys: [], replaceKeys: [], deleteBeforeReplace: false };
    if (old === undefined || this.deletedEarly.has(goal.urn)) return none;
    if (this.parts.providers.changed(old.provider, reference)) {
      return { changed: true, keys: ["provider"], replaceKeys: ["provider"], deleteBeforeReplace: false };
    }
    return this.diffInputs(old, provider, inputs, goal.ignoreChanges);
  }

  private async diffInputs(old: Resource, provider: Provider, inputs: Props, ignored: string[]): Promise<Diff> {
    const [oldInputs, oldOutputs, news] = [old.inputs ?? {}, old.outputs ?? {}, inputs].map(revealProps) as [Props, Props, Props];
    const call = this.parts.executor.call(old);
    const diff = await provider.diff(call, old.id ?? "", oldInputs, oldOutputs, news, ignored);
    if (diff !== undefined) return diff;
    const all = new Set([...Object.keys(oldInputs), ...Object.keys(news)]);
    const keys = [...all].filter((key) => !equal(oldInputs[key], news[key])).sort();
    return { changed: keys.length > 0, keys, replaceKeys: [], deleteBeforeReplace: false };
  }

  /** Deletes a resource that cannot stand beside its replacement, after what would be replaced with it. */
  private async deleteFirst(old: Resource): Promise<void> {
    const dependents = await this.dependentReplacements(old);
    for (const resource of [...dependents.reverse(), old]) {
      if (this.deletedEarly.has(resource.urn)) continue;
      if (resource !== old && resource.protect === true) fail(protectedMessage(resource.urn));
      if (resource !== old) this.deletedEarly.add(resource.urn);
      const provider = await this.parts.providers.of(resource.provider ?? "");
      await this.parts.executor.delete({ op: "delete-replaced", urn: resource.urn, old: resource }, provider, true);
    }
  }

  /** What would have to be replaced if properties of a resource were to become unknown, as it will be. */
  private async dependentReplacements(root: Resource): Promise<Resource[]> {
    const replaced = new Set([root.urn]);
    const found: Resource[] = [];
    for (const resource of this.parts.olds.values()) {
      if (!resource.custom || resource.external === true || isProviderType(resource.type)) continue;
      if (resource.pendingReplacement === true || replaced.has(resource.urn)) continue;
      if (await this.replacedWith(resource, replaced)) {
        replaced.add(resource.urn);
        found.push(resource);
      }
    }
    return found;
  }

  private async replacedWith(resource: Resource, replaced: ReadonlySet<string>): Promise<boolean> {
    if (resource.provider !== undefined && replaced.has(providerUrn(resource.provider))) return true;
    const touched = Object.entries(resource.propertyDependencies ?? {})
      .filter(([, urns]) => urns.some((urn) => replaced.has(urn)))
      .map(([key]) => key)
      .filter((key) => resource.inputs?.[key] !== undefined);
    if (touched.length === 0) return false;
    const unknown = Object.fromEntries(touched.map((key) => [key, UNKNOWN]));
    const provider = await this.parts.providers.of(resource.provider ?? "");
    const diff = await this.diffInputs(resource, provider, { ...resource.inputs, ...unknown }, []);
    return diff.changed && diff.replaceKeys.length > 0;
  }
}

const protectedMessage = (urn: string): string =>
  `unable to replace resource "${urn}"\nas it is currently marked for protection. To unprotect the resource, ` +
  "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`";

