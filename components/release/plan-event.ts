import { z } from "zod";
import type { Plan } from "./model.js";

/** What the program tells the CLI of its plan, through the journal: exit codes and questions come from it, never from text. */
export const planEventSchema = z.object({
  step: z.enum(["first", "deploy", "rollback", "unchanged", "finish"]),
  tag: z.string(),
  revision: z.string(),
  presentTag: z.string().nullable(),
  presentRevision: z.string().nullable(),
  /** The config asks for a release older than the present one. */
  older: z.boolean(),
  /** What is tried beside it; null: nothing. */
  canary: z.object({ tag: z.string(), revision: z.string(), containers: z.array(z.string()) }).nullable().default(null),
  containers: z.array(z.string()),
  notices: z.array(z.string()),
});

export type PlanEvent = z.infer<typeof planEventSchema>;

export function planEvent(plan: Plan): PlanEvent {
  const present = plan.past.at(-1) ?? null;
  return {
    step: plan.step,
    tag: plan.serving.tag,
    revision: plan.serving.revision,
    presentTag: present?.tag ?? null,
    presentRevision: present?.revision ?? null,
    older: plan.older,
    canary: plan.canary === null ? null : { tag: plan.canary.revision.tag, revision: plan.canary.revision.revision, containers: plan.canary.revision.replicas.map((replica) => replica.name) },
    containers: plan.serving.replicas.map((replica) => replica.name),
    notices: plan.notices,
  };
}
