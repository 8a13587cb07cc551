/**
 * The provider of our dynamic resources, as Pulumi's dynamic provider calls it, in a process of its own: each method loads the room's
 * handler. What is in the states of today's stacks asks for this, bundled as `dist/provider.cjs` (see dynamic.ts), and what is in older
 * ones for the handlers, `dist/components/<room>/handler.js`. These paths are part of the contract.
 */
import type { Handler } from "./handler.js";

type State = Record<string, unknown>;
type AnyHandler = Handler<State, State>;

/** Rooms with a handler. Each says its file, so that it is found when they are made one file. */
const HANDLERS = {
  gate: () => import("../gate/handler.js"),
  "traffic/front": () => import("../traffic/front/handler.js"),
  "traffic/route": () => import("../traffic/route/handler.js"),
  canary: () => import("../canary/handler.js"),
};
export type Room = keyof typeof HANDLERS;

/** Every handler, for the cache of compiled code (see scripts/lib/bundle.mjs). */
export async function loadAll(): Promise<void> {
  await Promise.all(Object.values(HANDLERS).map((load) => load()));
}

/** What Pulumi asks of a provider: `pulumi.dynamic.ResourceProvider`, without loading Pulumi for it. */
export interface Provider {
  check(olds: State, news: State): Promise<{ inputs: State; failures: { property: string; reason: string }[] }>;
  diff(id: string, olds: State, news: State): ReturnType<AnyHandler["diff"]>;
  create(inputs: State): ReturnType<AnyHandler["create"]>;
  update(id: string, olds: State, news: State): Promise<{ outs: State }>;
  delete(id: string, props: State): Promise<void>;
  /** An empty id tells the engine that the thing is gone. */
  read(id: string, props?: State): Promise<{ id: string; props: State }>;
}

/** @throws Error, from each of its methods, when the room's handler cannot be loaded */
export function providerOf(room: Room): Provider {
  const load = async (): Promise<AnyHandler> => {
    try {
      // Each knows the form of its own inputs; the engine has them as anything.
      return ((await HANDLERS[room]()) as unknown as { handler: AnyHandler }).handler;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`The compiled handler of ${room} cannot be loaded: ${why}. Next: run npm ci (or npm run build) in the project's directory`);
    }
  };
  return {
    async check(_olds, news) {
      const handler = await load();
      const problems = (await handler.check?.(own(news))) ?? [];
      return { inputs: news, failures: problems.map((p) => ({ property: p.subject, reason: `${p.what}. Next: ${p.next}` })) };
    },
    async diff(id, olds, news) {
      const handler = await load();
      return handler.diff(id, own(olds), own(news));
    },
    async create(inputs) {
      const handler = await load();
      return handler.create(own(inputs));
    },
    async update(id, olds, news) {
      const handler = await load();
      return { outs: await handler.update(id, own(olds), own(news)) };
    },
    async delete(id, props) {
      const handler = await load();
      await handler.remove?.(id, own(props));
    },
    async read(id, props = {}) {
      const handler = await load();
      const found = handler.read === undefined ? props : await handler.read(id, own(props));
      return found === null ? { id: "", props: {} } : { id, props: found };
    },
  };
}

/** The engine hands the provider's text to its own methods as one more input. */
function own({ __provider: _, ...rest }: State): State {
  return rest;
}
