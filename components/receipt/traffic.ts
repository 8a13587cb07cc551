/** What users were answered over a time. */
import { z } from "zod";

const count = z.int().nonnegative();
/** ISO 8601, UTC. */
const time = z.iso.datetime();
const revisionOf = { revision: z.string(), /** "" where it is not known. */ tag: z.string() };

/** What the proxy answered to users while the run was under way, by its log. The gate's own requests are not in it. */
const answered = z.object({
  measured: z.literal(true),
  from: time,
  to: time,
  /** Without websockets that were open. */
  requests: count,
  /** Answered with a status from 500, in half or not at all, but for those that the user gave up; websockets that could not be opened. */
  failed: count,
  /** Refused by a pause of writes. */
  refused: count,
  /** The longest time between two good answers, and when it began; null with fewer than two. */
  gap: z.object({ seconds: z.number().nonnegative(), at: time }).nullable(),
  byRevision: z.array(z.object({ ...revisionOf, requests: count, failed: count })),
  /** Answers over time: of each step its start in seconds since the run began, and how many there were. */
  step: z.number().positive(),
  steps: z.array(z.object({ at: z.number(), failed: count, good: z.record(z.string(), count) })),
});

export const trafficSchema = z.discriminatedUnion("measured", [answered, z.object({ measured: z.literal(false), why: z.string() })]);

export type Traffic = z.infer<typeof trafficSchema>;
export type Answered = z.infer<typeof answered>;
