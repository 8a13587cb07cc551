import { PartialFailure, type Call, type Made, type Provider } from "../providers/provider.js";
import type { Operation, Resource } from "../state/checkpoint.js";
import type { Store } from "../state/store.js";
import { remark, revealProps, secret, type Props } from "../values.js";
import type { Events, Step } from "./events.js";
import { isProviderType, nameOf } from "./urn.js";

/** Carries steps out: calls the provider, keeps the state, tells the display. */
export class Executor {
  constructor(
    private readonly store: Store,
    private readonly events: Events,
    readonly preview: boolean,
  ) {}

  /** What a provider is told about a resource. */
  call(resource: { urn: string; type: string }): Call {
    const { urn, type } = resource;
    return {
      urn,
      type,
      name: nameOf(urn),
      preview: this.preview,
      report: (severity, message) => this.events.message(severity, urn, message),
    };
  }

  /** Makes a resource; `old` is what it takes the place of, unless that is still to be deleted. */
  async create(step: Step & { next: Resource }, provider: Provider, old?: Resource): Promise<void> {
    const { next } = step;
    const inputs = next.inputs ?? {};
    const add = (made: Made): void => {
      next.id = made.id;
      next.outputs = marked(made.outputs, next);
      next.created = next.modified = new Date().toISOString();
      this.store.add(next, old);
    };
    await this.run(step, "creating", next, async () => {
      if (this.preview) {
        next.outputs = marked(provider.previewOutputs(this.call(next), revealProps(inputs), undefined), next);
        this.store.add(next, old);
        return;
      }
      await this.keepingPartial(next, add, async () => add(await provider.create(this.call(next), revealProps(inputs))));
    });
  }

  /** Updates a resource in place. */
  async update(step: Step & { old: Resource; next: Resource }, provider: Provider): Promise<void> {
    const { old, next } = step;
    const [inputs, oldInputs, oldOutputs] = [next, old, old].map((each, index) =>
      revealProps((index === 2 ? each.outputs : each.inputs) ?? {}),
    );
    next.id = old.id;
    next.created = old.created;
    const add = (made: Made): void => {
      next.outputs = marked(made.outputs, next);
      next.modified = new Date().toISOString();
      this.store.add(next, old);
    };
    await this.run(step, "updating", next, async () => {
      const call = this.call(next);
      if (this.preview) return add({ id: old.id ?? "", outputs: provider.previewOutputs(call, inputs ?? {}, oldOutputs) });
      await this.keepingPartial(next, add, async () => {
        const outputs = await provider.update(call, old.id ?? "", oldInputs ?? {}, oldOutputs ?? {}, inputs ?? {});
        add({ id: old.id ?? "", outputs });
      });
    });
  }

  /**
   * Deletes a resource.
   * @param provider undefined where nothing outside the state is to be deleted
   * @param replaced its replacement is still to be made: it stays in the state, marked so
   */
  async delete(step: Step & { old: Resource }, provider: Provider | undefined, replaced: boolean): Promise<void> {
    const { old } = step;
    await this.run(step, "deleting", old, async () => {
      const nothing = this.preview || old.retainOnDelete === true || old.external === true || isProviderType(old.type);
      if (!nothing && provider !== undefined) {
        await provider.delete(this.call(old), old.id ?? "", revealProps(old.inputs ?? {}), revealProps(old.outputs ?? {}));
      }
      if (replaced) old.pendingReplacement = true;
      else this.store.drop(old);
    });
  }

  private async run(step: Step, type: Operation["type"], resource: Resource, work: () => Promise<void>): Promise<void> {
    // On disk before anybody hears of it: whoever sees the line may count on the record.
    const operation = this.preview ? undefined : this.store.begin(type, resource);
    this.events.started(step);
    try {
      await work();
    } catch (error) {
      this.events.failed(step, error);
      throw error;
    } finally {
      if (operation !== undefined) {
        this.store.end(operation);
        this.store.save();
      }
    }
    this.events.done(step);
  }

  /** What a provider made but could not finish is kept, with the reasons. */
  private async keepingPartial(next: Resource, add: (made: Made) => void, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof PartialFailure) {
        next.initErrors = error.reasons;
        add(error.made);
      }
      throw error;
    }
  }
}

/** A provider's outputs with the secrets of the inputs, and those the program asks for, marked. */
function marked(outputs: Props, resource: Resource): Props {
  const again = remark(outputs, resource.inputs ?? {});
  for (const key of resource.additionalSecretOutputs ?? []) {
    const value = again[key];
    if (value !== undefined) again[key] = secret(value);
  }
  return again;
}
