/** Whom users are served by. */
export interface Traffic {
  /** Names of app containers that the proxy leads to. */
  apps: ReadonlySet<string>;
  /** Names of Qdrant containers that the serving release's data is in. */
  stores: ReadonlySet<string>;
  /** The proxy leads to a release. */
  isServing: boolean;
}

/** `serves`: users are served by it; `idle`: a killed run made it and nobody is; `unclear`: it is left to a person. */
export type Fate = "serves" | "idle" | "unclear";

/**
 * What becomes of a container that carries the stack's label and is in no state. Its role in the traffic decides: the proxy and Qdrant go
 * only where the state itself says that an update was making them when it was killed, and nobody is served by them. Pure.
 *
 * @param traffic null: it cannot be seen
 * @param beingMade names of what killed updates had begun to make
 */
export function fateOf({ name, role, runs }: { name: string; role: string; runs: boolean }, traffic: Traffic | null, beingMade: ReadonlySet<string>): Fate {
  if (role === "helper" || role === "scratch") return "idle";
  if (traffic === null) return "unclear";
  if (traffic.apps.has(name)) return "serves";
  switch (role) {
    case "app":
      return "idle";
    case "proxy":
      return beingMade.has(name) && (!runs || !traffic.isServing) ? "idle" : "unclear";
    case "qdrant":
      return beingMade.has(name) && (!runs || !traffic.stores.has(name)) ? "idle" : "unclear";
    default:
      return "unclear";
  }
}
