import type { Props, Value } from "../values.js";
import type { Backend, StackName } from "./backend.js";
import type { Checkpoint } from "./checkpoint.js";
import { writeBlob } from "./files.js";

/** One line of a stack's history. */
export interface HistoryEntry {
  kind: "update" | "preview" | "destroy" | "refresh" | "import";
  startTime: number;
  endTime: number;
  message: string;
  environment: Record<string, string>;
  /** The stack's config, its secrets encrypted. */
  config: Props;
  version: 0;
  result: "succeeded" | "failed";
  resourceChanges: Record<string, Value>;
}

/** Records an update that has ended, with the state it left. */
export function recordHistory(backend: Backend, name: StackName, entry: HistoryEntry, state: Checkpoint): void {
  const stamp = `${BigInt(Date.now()) * 1_000_000n + (process.hrtime.bigint() % 1_000_000n)}`;
  const base = backend.path("history", name.project, name.stack, `${name.stack}-${stamp}`);
  writeBlob(`${base}.history.json`, JSON.stringify(entry));
  const text = JSON.stringify(state);
  writeBlob(`${base}.checkpoint.json`, text);
  writeBlob(backend.path("backups", name.project, name.stack, `${name.stack}.${stamp}.json`), text);
}
