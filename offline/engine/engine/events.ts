import type { Resource } from "../state/checkpoint.js";

/** The operations of an update, as the real engine names them. */
export type Op =
  | "same"
  | "create"
  | "update"
  | "delete"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "read"
  | "discard"
  | "refresh";

/** How serious a message is; a status is shown in passing and not kept. */
export type Severity = "debug" | "status" | "info" | "warning" | "error";

/** One step of an update. */
export interface Step {
  op: Op;
  urn: string;
  old?: Resource;
  next?: Resource;
  /** The properties that differ. */
  keys?: string[];
  /** The properties that force a replacement. */
  replaceKeys?: string[];
  /** A default provider's: done, but not shown or counted. */
  hidden?: boolean;
  /** False: shown, but not counted. */
  counted?: boolean;
}

/** Who wants to know what happens in an update. */
export interface Events {
  started(step: Step): void;
  done(step: Step): void;
  failed(step: Step, error: unknown): void;
  message(severity: Severity, urn: string, text: string): void;
  /** Reports an error, unless the step that failed with it has done so. */
  problem(urn: string, error: unknown): void;
}
