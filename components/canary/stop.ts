/** Word that a run is to end, for a step that takes long: by a signal to its process, or through the journal of the run that began it. */
import { follow } from "../runtime/journal.js";
import type { DataPaths } from "../runtime/paths.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
const LOOK_MS = 200;

export interface StopWatch {
  /** Aborted with the reason in words. */
  readonly signal: AbortSignal;
  end(): void;
}

/** A command tells its run's handlers by an event of the phase `interrupt`: Pulumi lets a step that is under way go on. */
export function watchForStop(paths: DataPaths, run: string): StopWatch {
  const ending = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => ending.abort(new Error(`it was told to stop (${signal})`));
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const follower = follow(paths, ({ phase }) => { if (phase === "interrupt") ending.abort(new Error("the command was told to stop")); }, { run, everyMs: LOOK_MS });
  return {
    signal: ending.signal,
    end: () => {
      for (const signal of SIGNALS) process.removeListener(signal, onSignal);
      follower.stop();
    },
  };
}
