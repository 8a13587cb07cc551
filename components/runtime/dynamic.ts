/**
 * The provider shell of our dynamic resources. Pulumi serialises its functions into the state, so they hold nothing but
 * the room's name: each method loads the room's compiled handler by its path relative to the project.
 * The text must stay stable, and what older states contain must keep working: the path is part of the contract.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Handler } from "./handler.js";

/** A room with a `handler.js`: `gate`, `traffic/front`, `traffic/route`, `canary`. */
export type Room = "gate" | "traffic/front" | "traffic/route" | "canary";

type State = Record<string, unknown>;
type AnyHandler = Handler<State, State>;

/** The provider of a room. Everything that its methods use is inside them: what is captured is serialised too. */
export function providerShell(room: Room): pulumi.dynamic.ResourceProvider<State, State> {
  const load = async (): Promise<AnyHandler> => {
    const path = `${process.cwd()}/dist/components/${room}/handler.js`;
    try {
      const loaded = (await import(path)) as { handler: AnyHandler };
      return loaded.handler;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The compiled handler of ${room} cannot be loaded: ${why}. Next: run npm ci (or npx tsc -p .) in the project's directory`);
    }
  };
  // The engine hands the serialised provider to its own methods as one more input.
  const own = (props: State): State => {
    const rest = { ...props };
    delete rest.__provider;
    return rest;
  };
  return {
    async check(_olds: State, news: State) {
      const handler = await load();
      const problems = (await handler.check?.(own(news))) ?? [];
      return { inputs: news, failures: problems.map((p) => ({ property: p.subject, reason: `${p.what}. Next: ${p.next}` })) };
    },
    async diff(id: string, olds: State, news: State) {
      const handler = await load();
      return handler.diff(id, own(olds), own(news));
    },
    async create(inputs: State) {
      const handler = await load();
      return handler.create(own(inputs));
    },
    async update(id: string, olds: State, news: State) {
      const handler = await load();
      return { outs: await handler.update(id, own(olds), own(news)) };
    },
    async delete(id: string, props: State) {
      const handler = await load();
      await handler.remove?.(id, own(props));
    },
    async read(id: string, props: State = {}) {
      const handler = await load();
      const found = handler.read === undefined ? props : await handler.read(id, own(props));
      // An empty id tells the engine that the thing is gone.
      return found === null ? { id: "", props: {} } : { id, props: found };
    },
  };
}

/** Outputs that the handler adds to the inputs: declared to the engine, undefined until it has answered. */
type OutputNames<I extends object, O extends I> = Exclude<keyof O & string, keyof I>;

/**
 * A dynamic resource whose work is done by its room's handler. Subclasses say `declare readonly x: pulumi.Output<…>`
 * for what they give out: a plain field would be written over the engine's output.
 */
export abstract class HandledResource<I extends object, O extends I> extends pulumi.dynamic.Resource {
  /**
   * @param outputs names of the outputs that are no inputs
   * @param type last part of the resource's type
   */
  protected constructor(
    room: Room,
    type: string,
    name: string,
    args: { [K in keyof I]: pulumi.Input<I[K]> },
    outputs: readonly OutputNames<I, O>[],
    opts?: pulumi.CustomResourceOptions,
  ) {
    const undetermined = Object.fromEntries(outputs.map((key) => [key, undefined]));
    super(providerShell(room), name, { ...undetermined, ...args }, opts, "pbjrag", type);
  }
}
