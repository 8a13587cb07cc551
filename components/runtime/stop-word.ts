import { follow, readRun } from "./journal.js";
import type { DataPaths } from "./paths.js";

const LOOK_MS = 200;

/**
 * Word of the command that began a run that it is to end, in the run's journal: Pulumi lets a step that is under way go on. Also word that
 * came after the present update began and before this step did.
 *
 * @returns what ends the listening
 */
export function onStopWord(paths: DataPaths, run: string, stop: () => void): { end(): void } {
  const follower = follow(paths, ({ phase }) => { if (phase === "interrupt") stop(); }, { run, everyMs: LOOK_MS });
  const events = readRun(paths, run);
  const update = events.findLastIndex(({ phase, event }) => phase === "update" && event === "start");
  if (events.slice(update + 1).some(({ phase }) => phase === "interrupt")) stop();
  return { end: () => follower.stop() };
}
