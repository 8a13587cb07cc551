import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { RevisionPlan } from "../release/model.js";
import { labelList } from "../runtime/labels.js";
import { RESTART } from "../runtime/restart.js";
import { containerLimits } from "../runtime/limits.js";
import { hardeningArgs } from "./hardening.js";

export interface RevisionArgs {
  readonly stack: string;
  readonly plan: RevisionPlan;
  /** Image ID (`sha256:…`) that the containers run. */
  readonly image: pulumi.Input<string>;
  /** Environment that must not be read in the state or a log. */
  readonly secretEnv: Record<string, string>;
  /** Name of the stack's Docker network. */
  readonly network: pulumi.Input<string>;
  /** Docker volume mounted at `app.uploadsPath`. */
  readonly uploadsVolume: pulumi.Input<string>;
  /**
   * True for a revision that is declared as it was recorded. Its environment then stays as it is in the state:
   * the secrets of that day are not recorded, and today's would replace containers that still serve.
   */
  readonly asRecorded: boolean;
}

/**
 * The containers of one revision of the app. A container that serves is never replaced: whatever changes it makes
 * another revision, with other names, so that the engine adds the new and at the end removes the old.
 */
export class AppRevision extends pulumi.ComponentResource {
  declare readonly containers: docker.Container[];

  constructor(args: RevisionArgs, opts: pulumi.ComponentResourceOptions) {
    const { plan, stack } = args;
    super("pbjrag:app:Revision", `app-${plan.revision}`, {}, opts);
    const app = plan.settings.app;
    const envs = [
      ...Object.entries(plan.env).map(([key, value]): pulumi.Input<string> => `${key}=${value}`),
      ...Object.entries(args.secretEnv)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]): pulumi.Input<string> => pulumi.secret(`${key}=${value}`)),
    ];
    this.containers = plan.replicas.map(
      (replica) =>
        new docker.Container(
          `app-${plan.revision}-${replica.index}`,
          {
            name: replica.name,
            image: args.image,
            envs,
            networksAdvanced: [{ name: args.network }],
            volumes: [{ volumeName: args.uploadsVolume, containerPath: app.uploadsPath }],
            labels: labelList({ stack, role: "app", revision: plan.revision }),
            ...containerLimits(app),
            restart: RESTART,
            // A container that exits at once is the gate's to judge: it can say why, the provider cannot.
            mustRun: false,
            logDriver: "json-file",
            logOpts: { "max-size": "10m", "max-file": "3" },
            ...hardeningArgs(app.hardening),
          },
          { parent: this, ignoreChanges: args.asRecorded ? ["envs"] : [] },
        ),
    );
    this.registerOutputs({});
  }
}
