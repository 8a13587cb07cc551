/**
 * Preloaded into the processes of the program and of its dynamic resources: what Pulumi's SDK loads at its start and seldom needs
 * is loaded when it is first used. That is two thirds of the time in which such a process starts, four of them in each release.
 */
import Module from "node:module";

type Load = (this: unknown, request: string, ...rest: unknown[]) => unknown;
type AnyFunction = (...args: unknown[]) => unknown;

/** The compiler that serialises functions, and npm's readers of packages. */
const SELDOM: readonly string[] = ["typescript", "@npmcli/arborist", "normalize-package-data"];
/** Pulumi for programs that run Pulumi, which the SDK hands on and our program is none of. */
const AUTOMATION = "./automation";
/** Tracing, whose classes and functions the SDK takes out of these at once: nobody traces the stand-in. */
const TRACING = /^@opentelemetry\/(?:resources|sdk-trace-base|sdk-trace-node|exporter-zipkin|instrumentation|instrumentation-grpc)$/;
/**
 * Reads the maps of whole packages for every stack trace that the SDK takes, some of each resource. The program is one bundled file without a
 * map, so that there is nothing of ours to be found.
 */
const SOURCE_MAPS = "source-map-support/register";

const internals = Module as unknown as { _load: Load };
const load = internals._load;
const stand = new Map<string, object>();

internals._load = function (request, ...rest) {
  const tracing = TRACING.test(request) && isFile(rest[0], "/@pulumi/pulumi/cmd/");
  if (request === SOURCE_MAPS) return {};
  const automation = request === AUTOMATION && isFile(rest[0], "/@pulumi/pulumi/index.js");
  if (!tracing && !automation && !SELDOM.includes(request)) return load.call(this, request, ...rest);
  const get = (): object => load.call(this, request, ...rest) as object;
  const known = stand.get(request) ?? (tracing ? lazyFunctions(get) : lazily(get));
  stand.set(request, known);
  return known;
};

function isFile(parent: unknown, part: string): boolean {
  return parent instanceof Module && parent.filename.includes(part);
}

/** Stands for a module until something of it is asked for. */
function lazily(get: () => object): object {
  let loaded: object | null = null;
  const module = (): object => (loaded ??= get());
  return new Proxy({}, {
    // The SDK copies the members of what is none, which would load it.
    get: (_, key) => {
      if (key === "__esModule") return true;
      // What exports one function is its own default.
      return key === "default" && !Reflect.has(module(), "__esModule") ? module() : Reflect.get(module(), key) as unknown;
    },
    has: (_, key) => Reflect.has(module(), key),
  });
}

/** Stands for a module of functions and classes until one of them is called. */
function lazyFunctions(get: () => object): object {
  return new Proxy({}, {
    get: (_, key) => {
      if (key === "__esModule") return true;
      const member = (): AnyFunction => Reflect.get(get(), key) as AnyFunction;
      return new Proxy(function () { /* stands for it */ }, {
        apply: (_target, self, args: unknown[]) => Reflect.apply(member(), self, args),
        construct: (_target, args: unknown[]) => Reflect.construct(member(), args) as object,
      });
    },
  });
}
