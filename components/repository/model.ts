import { z } from "zod";

/** What is to be sent: the environment variable PBJRAG_SEND of its process. No secrets: those are restic's own variables. */
export const sendRequestSchema = z.object({
  /** Also a directory's name. */
  stack: z.string().min(1),
  /** Directory below `backups/<stack>/`; "": none was made. */
  backup: z.string(),
  /** As configured, possibly relative to the project; PBJRAG_DATA_DIR goes first. */
  dataDir: z.string().min(1),
  /** Milliseconds until it is given up. */
  deadlineMs: z.number().int().positive(),
});

export type SendRequest = z.infer<typeof sendRequestSchema>;

/** What came of it: also the data of its last event in the journal. */
export const sendOutcomeSchema = z.object({
  backup: z.string(),
  /** The repository holds the whole backup. False: {@link problem} says why, or there was none to send. */
  sent: z.boolean(),
  /** It was there already. */
  known: z.boolean(),
  /** Short id of restic's snapshot; "" without one. */
  snapshot: z.string(),
  /** Bytes that were new to the repository. */
  added: z.number(),
  /** They are counted as they lie there; false: before they were compressed. */
  stored: z.boolean().default(true),
  tookMs: z.number(),
  /** "" where nothing is wrong. */
  problem: z.string(),
  next: z.string(),
});

export type SendOutcome = z.infer<typeof sendOutcomeSchema>;
