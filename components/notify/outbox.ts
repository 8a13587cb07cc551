/**
 * Events that are still to be sent: a file for each in `<run>/outbox/`, complete from the moment that it has its name, gone when every
 * channel has it.
 */
import { readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import type { DataPaths } from "../runtime/paths.js";
import { readJson, writeWhole } from "../runtime/whole-file.js";
import { type NotifyEvent, notifyEventSchema } from "./model.js";

const itemSchema = z.object({
  event: notifyEventSchema,
  /** Channels that have it. */
  sent: z.array(z.string()),
});

export interface Item {
  /** The file's name: in the order in which they were put. */
  name: string;
  event: NotifyEvent;
  sent: readonly string[];
}

let count = 0;

export class Outbox {
  private readonly directory: string;

  constructor(paths: Pick<DataPaths, "run">) {
    this.directory = path.join(paths.run, "outbox");
  }

  put(event: NotifyEvent): void {
    this.write(`${String(Date.now()).padStart(15, "0")}-${String(count++).padStart(6, "0")}-${event.id}.json`, { event, sent: [] });
  }

  /** Oldest first. A file that is no event is removed: nothing can be made of it. */
  list(): Item[] {
    return this.names().flatMap((name) => {
      const item = readJson(this.fileOf(name), itemSchema);
      if (item === null) this.remove(name);
      return item === null ? [] : [{ name, ...item }];
    });
  }

  isEmpty(): boolean {
    return this.names().length === 0;
  }

  /** This channel has it now. */
  sent({ name }: Item, channel: string): void {
    const now = readJson(this.fileOf(name), itemSchema);
    if (now !== null) this.write(name, { event: now.event, sent: [...now.sent, channel] });
  }

  remove(name: string): void {
    rmSync(this.fileOf(name), { force: true });
  }

  private fileOf(name: string): string {
    return path.join(this.directory, name);
  }

  private names(): string[] {
    try {
      return readdirSync(this.directory).filter((name) => name.endsWith(".json")).sort();
    } catch {
      return [];
    }
  }

  private write(name: string, item: z.infer<typeof itemSchema>): void {
    writeWhole(this.fileOf(name), JSON.stringify(item));
  }
}
