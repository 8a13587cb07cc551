import type { TrafficRevision, TrafficTable } from "../traffic/model.js";
import type { Plan, RevisionPlan } from "./model.js";

/** Who gets traffic after this plan's update: the route's input. Pure. */
export function trafficTable(plan: Plan): TrafficTable {
  return {
    schema: 1,
    stack: plan.stack,
    seq: plan.seq,
    serving: trafficRevision(plan.serving),
    former: plan.former === null ? null : trafficRevision(plan.former),
    abandoned: plan.formerAbandoned,
    rollbackTo: plan.rollbackTo,
  };
}

function trafficRevision(revision: RevisionPlan): TrafficRevision {
  return {
    revision: revision.revision,
    tag: revision.tag,
    containers: revision.replicas.map((replica) => replica.name),
    port: revision.settings.app.port,
    healthPath: revision.settings.app.health.path,
  };
}
