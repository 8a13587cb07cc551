import { CommandError } from "../errors.js";
import type { Props } from "../values.js";

/** Where a provider's messages go. */
export type Report = (severity: "status" | "info" | "warning" | "error", message: string) => void;

/** What a provider is told with every call. */
export interface Call {
  urn: string;
  type: string;
  name: string;
  preview: boolean;
  report: Report;
}

/** An operation's answer to "does it differ?". */
export interface Diff {
  changed: boolean;
  /** The properties to show. */
  keys: string[];
  /** The properties that force a replacement; none means an update. */
  replaceKeys: string[];
  deleteBeforeReplace: boolean;
}

/** A resource as the provider made or found it. */
export interface Made {
  id: string;
  outputs: Props;
}

/** What a refresh found; undefined when the resource is gone. */
export interface Found extends Made {
  inputs?: Props;
}

/**
 * What makes and keeps resources of a package. All properties are in the clear: the engine marks secrets
 * again. In a preview unknown values may be among them.
 */
export interface Provider {
  /** Fills in defaults and refuses what it does not support. */
  check(call: Call, olds: Props | undefined, news: Props): Promise<Props>;
  /** Compares a resource with what is wanted; undefined leaves it to a comparison of the inputs. */
  diff(call: Call, id: string, oldInputs: Props, oldOutputs: Props, news: Props, ignored: string[]): Promise<Diff | undefined>;
  create(call: Call, news: Props): Promise<Made>;
  /** What a preview may say of a resource yet to be made or updated. */
  previewOutputs(call: Call, news: Props, olds: Props | undefined): Props;
  update(call: Call, id: string, oldInputs: Props, oldOutputs: Props, news: Props): Promise<Props>;
  delete(call: Call, id: string, oldInputs: Props, oldOutputs: Props): Promise<void>;
  read(call: Call, id: string, inputs: Props, outputs: Props): Promise<Found | undefined>;
  /** Ends what it has started. */
  close?(): Promise<void>;
}

/** A resource that was made but is not ready: it stays in the state and the next update completes it. */
export class PartialFailure extends CommandError {
  constructor(
    readonly made: Made,
    readonly reasons: string[],
  ) {
    super(`${reasons.length} error${reasons.length === 1 ? "" : "s"} occurred:\n${reasons.map((r) => `\t* ${r}`).join("\n")}`);
    this.name = "PartialFailure";
  }
}

/** A difference of nothing. */
export const SAME: Diff = { changed: false, keys: [], replaceKeys: [], deleteBeforeReplace: false };
