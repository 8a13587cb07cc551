/**
 * Preloaded into the processes of the program and of its dynamic resources: what Pulumi's SDK loads at its start and seldom needs
 * is loaded when it is first used. That is two thirds of the time in which such a process starts, four of them in each release.
 */
import Module from "node:module";

type Load = (this: unknown, request: string, ...rest: unknown[]) => unknown;

/** The compiler that serialises functions, and npm's reader of package trees. */
const SELDOM: readonly string[] = ["typescript", "@npmcli/arborist"];

const internals = Module as unknown as { _load: Load };
const load = internals._load;
const stand = new Map<string, object>();

internals._load = function (request, ...rest) {
  if (!SELDOM.includes(request)) return load.call(this, request, ...rest);
  const known = stand.get(request) ?? lazily(() => load.call(this, request, ...rest) as object);
  stand.set(request, known);
  return known;
};

/** Stands for a module until something of it is asked for. */
function lazily(get: () => object): object {
  let loaded: object | null = null;
  const module = (): object => (loaded ??= get());
  return new Proxy({}, {
    // The SDK copies the members of what is none, which would load it.
    get: (_, key) => (key === "__esModule" ? true : Reflect.get(module(), key) as unknown),
    has: (_, key) => Reflect.has(module(), key),
  });
}
