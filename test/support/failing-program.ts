/** A Pulumi program that fails in a way that its config names, guarded as the real one is. Run by an engine; see test/e2e/uncaught.test.ts. */
import * as pulumi from "@pulumi/pulumi";
import { catchUncaught, showThrown } from "../../components/release/uncaught.js";

/** An error whose inspection does not come back: what it holds is made while it is looked at, without end. */
function bottomless(): Error {
  const inner = (): object => new Proxy({}, { ownKeys: () => ["a", "b", "c", "d"], getOwnPropertyDescriptor: () => ({ value: inner(), enumerable: true, configurable: true, writable: true }) });
  return Object.assign(new Error("bottomless"), { response: Array.from({ length: 100_000 }, inner), [Symbol.for("nodejs.util.inspect.custom")]: () => { for (;;); } });
}

const hostile = (): object => Object.create(null, { message: { get: () => { throw new Error("not to be read"); } } }) as object;

/** What a library may throw: that it is no error is what is tried. */
function toss(what: unknown): never {
  throw what;
}

const KINDS: Readonly<Record<string, () => void | Promise<void>>> = {
  thrown: () => { throw new Error("thrown at once"); },
  rejected: async () => { await Promise.resolve(); throw new Error("rejected later"); },
  text: () => toss("a text alone"),
  nothing: () => toss(undefined),
  hostile: () => toss(hostile()),
  bottomless: () => { throw bottomless(); },
  applied: () => { pulumi.output(1).apply(() => { throw new Error("in an apply"); }); },
  appliedBottomless: () => { pulumi.output(1).apply(() => { throw bottomless(); }); },
  timer: () => { setTimeout(() => { throw new Error("in a timer"); }, 1); },
  unhandled: () => { void Promise.reject(new Error("nobody waits for it")); },
  refused: () => { throw new pulumi.RunError("said by Pulumi"); },
};

export = async (): Promise<Record<string, string>> => {
  catchUncaught(() => { /* no journal here */ });
  try {
    await KINDS[new pulumi.Config().require("kind")]?.();
    return { done: "yes" };
  } catch (error) {
    const { subject, what, next } = showThrown(error);
    process.stderr.write(`${subject} ${what}. Next: ${next}\n`);
    process.exit(32);
  }
};
