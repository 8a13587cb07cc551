import { setTimeout as delay } from "node:timers/promises";
import type { QdrantClient } from "../qdrant/client.js";
import type { Context } from "./context.js";
import { BackupProblem } from "./problem.js";

/** Milliseconds between two looks. */
const EVERY_MS = 5_000;
/** Consecutive looks without an answer (each up to the client's time-out, 30 s) until it counts as hung. */
const SILENT = 2;

/**
 * Does something that may rightly take long, and gives up early if meanwhile the Qdrant that does it no longer answers at
 * all: a frozen process keeps its connections open for ever.
 * @throws BackupProblem `qdrant-timeout`
 */
export async function whileAnswering<T>(client: QdrantClient, context: Pick<Context, "say">, work: () => Promise<T>, everyMs = EVERY_MS): Promise<T> {
  const over = new AbortController();
  const working = work();
  const watching = watch(client, context, over.signal, everyMs);
  try {
    return await Promise.race([working, watching]);
  } finally {
    over.abort();
    // Whoever lost the race may still reject: it was told already.
    void Promise.allSettled([working, watching]);
  }
}

/** Only ever rejects: it ends by `over`, without having a say. */
async function watch(client: QdrantClient, context: Pick<Context, "say">, over: AbortSignal, everyMs: number): Promise<never> {
  const began = performance.now();
  for (let silent = 0; ; ) {
    await delay(everyMs, undefined, { signal: over });
    const answers = await client.version().then(
      () => true,
      () => false,
    );
    if (over.aborted) throw new BackupProblem("aborted", "the watch is over");
    silent = answers ? 0 : silent + 1;
    const took = Math.round((performance.now() - began) / 1000);
    if (silent >= SILENT) {
      throw new BackupProblem("qdrant-timeout", `Qdrant answers nothing any more (looked at for ${took} s)`, "see whether it hangs (docker logs, docker pause), then run again; a snapshot that comes late is removed then");
    }
    context.say(answers ? `still at it after ${took} s` : `Qdrant does not answer (looked at for ${took} s)`);
  }
}
