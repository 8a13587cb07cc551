/** What others are told of a release. */
import { z } from "zod";

/** In the order of a release. Whoever adds a kind gives it its words in words.ts. */
export const EVENT_KINDS = ["started", "gated", "canary", "succeeded", "rolledBack", "failed", "rollbackFailed", "watch"] as const;

export type NotifyKind = (typeof EVENT_KINDS)[number];

/** One event, as a command hook gets it. Masked when it is written down, and once more when it is sent. */
export const notifyEventSchema = z.object({
  /** The same for each try. */
  id: z.string(),
  /** ISO 8601. */
  time: z.string(),
  kind: z.enum(EVENT_KINDS),
  stack: z.string(),
  /** `deploy`, `rollback`, `restore` or `watch`. */
  command: z.string(),
  /** What is released, or gone back to. */
  tag: z.string(),
  /** What served before; null before the first release. */
  from: z.string().nullable(),
  /** Who began it, on which machine. */
  by: z.string(),
  /** What happened, in one sentence; "" where the kind says it all. */
  summary: z.string(),
  /** What a person does next; "" for nothing. */
  next: z.string(),
  /** Evidence of a failure: the end of the app's log. */
  lines: z.array(z.string()),
  /** Of the command; null while it runs. */
  exitCode: z.number().nullable(),
  /** The run's log. */
  log: z.string(),
});

export type NotifyEvent = z.infer<typeof notifyEventSchema>;

/** A way to tell people. */
export interface Channel {
  /** `slack`, `email`, `command`; of several addressees `email to` one of them. */
  readonly name: string;
  /**
   * One try, which ends by itself in time.
   * @throws Refused for what will be no better in a moment; anything else for what may be
   */
  send(event: NotifyEvent): Promise<void>;
}

/** The other side answered, and does not want it: trying again at once is of no use, and the next event may do better. */
export class Refused extends Error {}
