import type { TrafficRevision, TrafficTable } from "../traffic/model.js";
import type { Plan, RevisionPlan } from "./model.js";
import { FIRST_GENERATION } from "./names.js";

const STREAMLIT_SCRIPT = "/_stcore/script-health-check";

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
    // Its judge gives it its share.
    ...(plan.canary === null ? {} : { canary: { revision: trafficRevision(plan.canary.revision), weight: 0 } }),
  };
}

function trafficRevision(revision: RevisionPlan): TrafficRevision {
  const { script } = revision.settings.app.health;
  return {
    revision: revision.revision,
    tag: revision.tag,
    containers: revision.replicas.map((replica) => replica.name),
    port: revision.settings.app.port,
    healthPath: revision.settings.app.health.path,
    // Streamlit's own is known to the proxy, so that the table of a stack that has it stays as it was.
    ...(script === "" || script === STREAMLIT_SCRIPT ? {} : { scriptPath: script }),
    // Left out for the first, so that the table of a stack that never restores stays as it was.
    ...(revision.generation === FIRST_GENERATION ? {} : { generation: revision.generation }),
  };
}
