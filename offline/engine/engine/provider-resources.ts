import { randomUUID } from "node:crypto";
import { fail } from "../errors.js";
import type { Provider } from "../providers/provider.js";
import type { StackName } from "../state/backend.js";
import type { Resource } from "../state/checkpoint.js";
import type { Store } from "../state/store.js";
import { equal, revealProps, type Props } from "../values.js";
import type { Events } from "./events.js";
import { stateOf, type Goal } from "./goal.js";
import { providerUrn } from "./plan.js";
import { defaultProviderInputs, providerOutputs, type Providers } from "./providers.js";
import { nameOf, packageOf, urnOf } from "./urn.js";

const packageOfProvider = (type: string): string => type.split(":")[2] ?? "";

/** The provider resources of a deployment: default ones come to be when first needed. */
export class ProviderResources {
  private readonly current = new Map<string, Resource>();
  private readonly touched = new Set<string>();

  constructor(
    private readonly stack: StackName,
    private readonly olds: Map<string, Resource>,
    private readonly store: Store,
    private readonly events: Events,
    private readonly providers: Providers,
    /** The stack's config, its secrets marked. */
    private readonly config: Props,
  ) {}

  /** The default providers this deployment has used. */
  get used(): ReadonlySet<string> {
    return this.touched;
  }

  /** The reference of a package's default provider. */
  default(pkg: string, version: string): string {
    const name = version === "" ? "default" : `default_${version.replace(/\W/g, "_")}`;
    const type = `pulumi:providers:${pkg}`;
    const urn = urnOf(this.stack, type, name);
    const known = this.current.get(urn);
    if (known !== undefined) return `${urn}::${known.id}`;
    const inputs = defaultProviderInputs(pkg, version, this.config);
    const next: Resource = { urn, custom: true, type, inputs, outputs: providerOutputs(inputs) };
    return this.settle(next, true);
  }

  /** Registers a provider that the program declares. */
  register(goal: Goal): Resource {
    const pkg = packageOfProvider(goal.type);
    // Refuses packages and versions that are not known.
    defaultProviderInputs(pkg, goal.version, {});
    const inputs: Props = { __internal: {}, ...goal.inputs, version: goal.version };
    const next = stateOf(goal, inputs, "");
    next.outputs = providerOutputs(inputs);
    this.settle(next, false);
    return next;
  }

  /** The provider behind a reference, of this update or of the last state. */
  of(reference: string): Promise<Provider> {
    const urn = providerUrn(reference);
    const id = reference.slice(urn.length + 2);
    const resource = [this.current.get(urn), this.olds.get(urn)].find((each) => each?.id === id);
    if (resource === undefined) fail(`unknown provider '${reference}'`);
    const settings = revealProps(providerOutputs(resource.inputs ?? {}));
    return this.providers.get(reference, packageOfProvider(resource.type), settings);
  }

  /** Whether a resource has moved to another provider; from one default provider to another is no move. */
  changed(old: string | undefined, now: string): boolean {
    if (old === undefined || old === now) return false;
    const names = [old, now].map((each) => nameOf(providerUrn(each)));
    const packages = [old, now].map((each) => packageOf(packageOfProvider(providerUrn(each).split("::")[2] ?? "")));
    const bothDefault = names.every((name) => /^default(_|$)/.test(name));
    return !(bothDefault && packages[0] === packages[1]);
  }

  private settle(next: Resource, hidden: boolean): string {
    const old = this.olds.get(next.urn);
    const now = new Date().toISOString();
    const changed = old !== undefined && !equal(old.inputs ?? {}, next.inputs ?? {});
    next.id = old?.id ?? randomUUID();
    next.created = old?.created ?? now;
    next.modified = old === undefined || changed ? now : old.modified;
    this.current.set(next.urn, next);
    this.touched.add(next.urn);
    this.store.add(next, old);
    const op = old === undefined ? "create" : changed ? "update" : "same";
    this.events.started({ op, urn: next.urn, old, next, hidden });
    this.events.done({ op, urn: next.urn, old, next, hidden });
    return `${next.urn}::${next.id}`;
  }
}
