import { readFileSync } from "node:fs";

/**
 * For `node --require`: a wall clock that is wrong by as many milliseconds as the file PBJRAG_TEST_CLOCK says, looked up at each reading, so
 * that it can jump while a process runs. Everything that goes by a monotonic clock is left alone, as when a machine's clock is set.
 */
const file = process.env.PBJRAG_TEST_CLOCK;
if (file !== undefined) {
  const real = Date;
  const now = (): number => real.now() + Number(readFileSync(file, "utf8"));
  globalThis.Date = new Proxy(real, {
    construct: (target, args, made) => Reflect.construct(target, args.length === 0 ? [now()] : args, made) as object,
    apply: () => new real(now()).toString(),
    get: (target, key) => (key === "now" ? now : (Reflect.get(target, key) as unknown)),
  });
}
