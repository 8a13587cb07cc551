import { errors, EXIT, ReleaseError } from "../../components/runtime/errors.js";
import { planEventSchema, type PlanEvent } from "../../components/release/plan-event.js";
import type { Run } from "./run.js";
import type { TempConfig } from "./temp-config.js";
import { refusedBy } from "./failure.js";

/**
 * Shows the preview of what the config asks for, and hands on what the program planned.
 *
 * @throws ReleaseError when the program refuses the config, or Pulumi cannot run it
 */
export async function previewPlan(run: Run, config: TempConfig): Promise<PlanEvent> {
  run.say("preview: what this release changes");
  const seen = run.events().length;
  const result = await run.during("preview", () => run.engine.show("preview", [
    "preview", "--stack", run.ws.stack, "--config-file", config.file, "--non-interactive", "--suppress-outputs", "--color", "never",
  ]));
  const events = run.events().slice(seen);
  const refused = refusedBy(events);
  if (refused !== null) throw refused;
  run.checkpoint();
  if (result.exitCode !== 0) throw await run.engine.failure("preview", result);
  const planned = events.find((event) => event.phase === "plan");
  if (planned === undefined) {
    throw new ReleaseError({
      code: "planMissing", exitCode: EXIT.refused, what: "the program did not say what it plans",
      why: "its journal has no plan of this run", next: "run scripts/setup.sh (the compiled program may be out of date) and try again",
    });
  }
  return planEventSchema.parse(planned.data);
}

/** True when an update with this config would change nothing at all. */
export async function isNoChange(run: Run, config: TempConfig): Promise<boolean> {
  const result = await run.engine.quiet([
    "preview", "--stack", run.ws.stack, "--config-file", config.file, "--non-interactive", "--color", "never", "--expect-no-changes",
  ]);
  return result.exitCode === 0;
}

/** @throws ReleaseError when the config is older than the ledger: going back is `rollback`'s, which takes the recorded settings */
export function refuseOlder(plan: PlanEvent): void {
  if (!plan.older) return;
  throw errors.usage({
    why: `${plan.tag} is older than ${plan.presentTag ?? "what runs"}: this would be a rollback, with today's settings instead of the recorded ones`,
    next: `run scripts/rollback.sh ${plan.tag}`,
  });
}
