import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { RestorePlan } from "../release/model.js";
import type { StackNames } from "../release/names.js";
import { engineTimeout } from "../runtime/allowance.js";
import { type RestoreOutcome, restoreOutcomeSchema, type RestoreRequest } from "./model.js";

export interface RestoreArgs {
  readonly stack: string;
  readonly plan: RestorePlan;
  readonly names: Pick<StackNames, "qdrantVolume" | "uploadsVolume">;
  /** Today's: where backups are. */
  readonly dataDir: string;
  /** Qdrant's image on the new volume. */
  readonly qdrantImage: string;
  /** Milliseconds of the pause of writes that it is made within; null: within none. */
  readonly pauseMs: number | null;
  /** Name of the backup that this update takes; "" where there was no data. */
  readonly ownBackup: pulumi.Input<string>;
}

export interface DeclaredRestore {
  /** Volumes and containers of the generation depend on it. */
  readonly command: command.local.Command;
  /** Unknown in a preview that would restore. */
  readonly outcome: pulumi.Output<RestoreOutcome>;
}

/**
 * Declares the making of a generation's volumes from a backup: done when the resource is created or its triggers (generation,
 * backup) change. It has no delete script: when it leaves the program the volumes stay.
 */
export function declareRestore(args: RestoreArgs, opts: pulumi.CustomResourceOptions): DeclaredRestore {
  const { plan } = args;
  const from = plan.from === null ? pulumi.output(args.ownBackup) : pulumi.output(plan.from);
  const made = new command.local.Command(
    plan.resource,
    {
      create: "node dist/components/restore/main.js",
      // The engine calls this when anything but the triggers changed, a deadline for one: what was made stays as it is.
      update: 'printf "%s" "$PULUMI_COMMAND_STDOUT"',
      environment: { PBJRAG_RESTORE: from.apply((backup) => JSON.stringify(restoreRequest(args, backup))) },
      triggers: [plan.generation, from],
      logging: command.local.Logging.Stderr,
    },
    { ...opts, customTimeouts: { create: engineTimeout(plan.deadlineMs) } },
  );
  return { command: made, outcome: made.stdout.apply((stdout) => restoreOutcomeSchema.parse(JSON.parse(stdout))) };
}

/** Pure and stable: planning again gives the same. */
export function restoreRequest({ stack, plan, names, dataDir, qdrantImage, pauseMs }: RestoreArgs, from: string): RestoreRequest {
  const { generation, parts, deadlineMs } = plan;
  return {
    stack,
    generation,
    from,
    volumes: {
      ...(parts.includes("qdrant") ? { qdrant: names.qdrantVolume(generation) } : {}),
      ...(parts.includes("uploads") ? { uploads: names.uploadsVolume(generation) } : {}),
    },
    qdrantImage,
    dataDir,
    ...(pauseMs === null ? {} : { pauseMs }),
    deadlineMs,
  };
}
