import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Plan } from "../release/model.js";
import type { Settings } from "../settings/schema.js";
import type { AdoptRequest } from "./model.js";

/** Milliseconds: each container has its own, shorter time. */
const DEADLINE_MS = 180_000;

export interface AdoptingArgs {
  readonly plan: Pick<Plan, "stack" | "seq">;
  readonly settings: Pick<Settings, "dataDir" | "adopt">;
  /** Known once it is there: nobody waits for a build while nothing serves. */
  readonly image: pulumi.Output<string>;
}

/**
 * Declares that what has served until now is stopped, as part of a stack's first release; null where nothing is to be adopted. It has no
 * delete script: what was stopped stays so, and is given back by the scripts if the release fails.
 */
export function declareAdopting({ plan, settings, image }: AdoptingArgs, opts: pulumi.CustomResourceOptions): command.local.Command | null {
  const { adopt, dataDir } = settings;
  if (adopt === undefined || plan.seq !== 1) return null;
  const request: AdoptRequest = { stack: plan.stack, containers: adopt.containers, qdrantVolume: adopt.qdrantVolume, dataDir, deadlineMs: DEADLINE_MS };
  return new command.local.Command(
    "adopt",
    {
      create: "node dist/components/adopt/main.js",
      update: 'printf "%s" "$PULUMI_COMMAND_STDOUT"',
      environment: { PBJRAG_ADOPT: image.apply(() => JSON.stringify(request)) },
      triggers: [...adopt.containers],
      logging: command.local.Logging.Stderr,
    },
    opts,
  );
}
