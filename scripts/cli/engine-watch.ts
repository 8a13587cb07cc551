import type { Readable } from "node:stream";
import type { NewEvent } from "../../components/runtime/journal.js";
import { onLines, settled } from "../../components/runtime/lines.js";
import { EngineView } from "./engine-view.js";

/** Where Pulumi's output goes. */
export interface EngineSink {
  /** Each line as Pulumi wrote it. */
  raw(line: string): void;
  /** What of it the operator is to see. */
  show(line: string): void;
  event(event: NewEvent): void;
  /** Milliseconds since the operator saw something, whoever showed it. */
  quietMs(): number;
}

export interface Watched {
  /** What Pulumi called an error, each once. */
  readonly problems: readonly string[];
  /** When the command has ended: waits for its last line, and shows the sum. */
  end(): Promise<void>;
}

/** After so many milliseconds without a word the operator is told what is still under way. */
const QUIET_MS = 5_000;
const LOOK_EVERY_MS = 1000;

/** Shows a running command's output, condensed, as it comes. */
export function watch(streams: readonly Readable[], mode: "preview" | "update", sink: EngineSink): Watched {
  const view = new EngineView(mode, () => performance.now());
  const readers = streams.map((input) => onLines(input, (raw) => {
    const line = settled(raw);
    sink.raw(line);
    const { show, events } = view.take(line);
    show.forEach((one) => sink.show(one));
    events.forEach((one) => sink.event(one));
  }));
  const timer = setInterval(() => {
    const still = sink.quietMs() < QUIET_MS ? null : view.stillAt(QUIET_MS);
    if (still !== null) sink.show(still);
  }, LOOK_EVERY_MS).unref();
  return {
    problems: view.problems,
    end: async () => {
      clearInterval(timer);
      await Promise.all(readers);
      const sum = view.sum();
      if (sum !== null) sink.show(`=  ${sum}`);
    },
  };
}
