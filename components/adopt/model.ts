import { z } from "zod";

/**
 * What is to be taken over: the environment variable PBJRAG_ADOPT of its process. It is an input of a Pulumi resource, so the same plan
 * must give the same request.
 */
export const adoptRequestSchema = z.object({
  /** Also a directory's name. */
  stack: z.string().min(1),
  /** Docker names of the containers that have served until now. */
  containers: z.array(z.string().min(1)).min(1),
  /** Who has it mounted is stopped last: the app writes into it. */
  qdrantVolume: z.string().min(1),
  /** As configured, possibly relative to the project; PBJRAG_DATA_DIR goes first. */
  dataDir: z.string().min(1),
  /** Milliseconds for all of it. */
  deadlineMs: z.number().int().positive(),
});

export type AdoptRequest = z.infer<typeof adoptRequestSchema>;

export const adoptOutcomeSchema = z.object({
  /** In the order in which they were stopped. */
  stopped: z.array(z.string()),
  /** Milliseconds since 1970: from then on nobody was served. */
  stoppedAt: z.number(),
});

export type AdoptOutcome = z.infer<typeof adoptOutcomeSchema>;
