import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls until `probe` gives something other than null, undefined or false, and returns it. An error thrown by it means "not yet" and is told at the end.
 * Throws with `what` and the last error after `withinMs`.
 */
export async function waitFor<T>(
  what: string, probe: () => T | null | undefined | false | Promise<T | null | undefined | false>, { withinMs = 30_000, everyMs = 50 } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  let last = "";
  do {
    try {
      const value = await probe();
      if (value !== null && value !== undefined && value !== false) return value;
      last = "";
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await sleep(everyMs);
  } while (performance.now() < until);
  throw new Error(`not within ${withinMs / 1000} s: ${what}${last === "" ? "" : ` (last: ${last})`}`);
}
