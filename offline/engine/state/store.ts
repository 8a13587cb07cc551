import type { Backend, StackName } from "./backend.js";
import { qualified } from "./backend.js";
import type { Checkpoint, Codec, Operation, Resource, Snapshot } from "./checkpoint.js";

/** Where snapshots go. */
export interface Sink {
  write(snapshot: Snapshot): void;
}

/**
 * The state while it changes: what the update has dealt with, in the order it did, then what it has not
 * come to yet. That order keeps what a resource depends on before it.
 */
export class Store {
  private readonly base: Resource[];
  private readonly gone = new Set<Resource>();
  private readonly fresh: Resource[] = [];
  private readonly operations: Operation[];

  constructor(
    private readonly start: Snapshot,
    private readonly sink: Sink | undefined,
  ) {
    this.base = [...start.resources];
    // What was interrupted earlier stays on record until a refresh clears it.
    this.operations = [...start.operations];
  }

  /** The resources of the last state that are neither deleted nor registered again. */
  remaining(): Resource[] {
    return this.base.filter((resource) => !this.gone.has(resource));
  }

  /** Records that an operation begins; on disk before it does. */
  begin(type: Operation["type"], resource: Resource): Operation {
    const operation = { type, resource };
    this.operations.push(operation);
    this.save();
    return operation;
  }

  /** Records that an operation has ended, whatever came of it. */
  end(operation: Operation): void {
    const index = this.operations.indexOf(operation);
    if (index >= 0) this.operations.splice(index, 1);
  }

  /** Adds a resource, in place of an old one where there is one. */
  add(resource: Resource, old?: Resource): void {
    this.fresh.push(resource);
    if (old !== undefined) this.gone.add(old);
  }

  /** Takes an old resource out. */
  drop(old: Resource): void {
    this.gone.add(old);
  }

  /** Takes back a resource of this update. */
  remove(resource: Resource): void {
    const index = this.fresh.indexOf(resource);
    if (index >= 0) this.fresh.splice(index, 1);
  }

  /** The state as of now. */
  snapshot(): Snapshot {
    return {
      ...this.start,
      resources: [...this.fresh, ...this.remaining()],
      operations: [...this.operations],
    };
  }

  /** Writes the state. A preview has nowhere to write to. */
  save(): void {
    this.sink?.write(this.snapshot());
  }
}

/** Writes snapshots to a stack's state file. */
export class StackFile implements Sink {
  constructor(
    private readonly backend: Backend,
    private readonly name: StackName,
    private readonly codec: Codec,
    private readonly version: string,
  ) {}

  /** The file's whole content for a snapshot. */
  checkpoint(snapshot: Snapshot): Checkpoint {
    const latest = this.codec.encode(snapshot, this.version, new Date());
    return { version: 3, checkpoint: { stack: qualified(this.name), latest } };
  }

  write(snapshot: Snapshot): void {
    this.backend.write(this.name, this.checkpoint(snapshot));
  }
}
