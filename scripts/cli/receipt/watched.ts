/** What a watch has seen, put into the receipt of the release that it watched. */
import { named, tagsOf } from "../../../components/receipt/build.js";
import { receiptSchema } from "../../../components/receipt/model.js";
import { watchedOf } from "../../../components/receipt/watched.js";
import { readKept } from "../../../components/metrics/kept.js";
import { EXIT } from "../../../components/runtime/errors.js";
import { isWatching, readWatch, type WatchState } from "../../../components/watch/state.js";
import type { Workspace } from "../workspace.js";
import { redacted, trafficBetween } from "./sources.js";
import { type Stored, storeAgain, storedReceipts, writePage } from "./store.js";

type Where = Pick<Workspace, "paths" | "stack">;

/**
 * Where there is no such receipt, nothing is written: what was released by plain Pulumi has none.
 * @param endedAt milliseconds since 1970
 * @throws Error when it cannot be written
 */
export async function noteWatch(ws: Where, state: WatchState, endedAt: number, redact: (text: string) => string): Promise<void> {
  const stored = receiptWatched(ws, state);
  if (stored === undefined) return;
  const { startedAt } = state;
  const traffic = await trafficBetween(ws.stack, new Date(startedAt), new Date(endedAt), new Date(startedAt));
  const watch = watchedOf(state, readKept(ws.paths)?.slots ?? [], named(traffic, tagsOf(stored.receipt)), endedAt);
  const again: Stored = { json: stored.json, receipt: receiptSchema.parse({ ...stored.receipt, schema: 2, watch: redacted(watch, redact) }) };
  storeAgain(again);
  await writePage(again);
}

/** That of the run which made its release serve, the last of several. */
function receiptWatched({ paths }: Where, { target, startedAt }: WatchState): Stored | undefined {
  const serves = (exitCode: number | null): boolean => exitCode === EXIT.done || exitCode === EXIT.unverified;
  return storedReceipts(paths).findLast(({ receipt }) => receipt.revision === target.revision && serves(receipt.outcome.exitCode) && Date.parse(receipt.startedAt) <= startedAt);
}

/** A watch whose process ended before it did left what it had seen. */
export async function noteKilledWatch(ws: Where, redact: (text: string) => string): Promise<void> {
  const left = readWatch(ws.paths);
  if (left === null || left.state !== "watching" || isWatching(left)) return;
  const known = receiptWatched(ws, left)?.receipt.watch;
  const seen = readKept(ws.paths)?.slots.findLast(({ from }) => from >= left.startedAt)?.to ?? left.startedAt;
  if (known?.id !== left.id) await noteWatch(ws, left, Math.min(seen, left.endsAt), redact);
}
