import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { labelList } from "../runtime/labels.js";
import { containerLimits, REPLACED_FOR_CPUS } from "../runtime/limits.js";
import type { Settings } from "../settings/schema.js";

/** Names that Qdrant needs; `StackNames` has them. */
export interface QdrantNames {
  readonly qdrantVolume: string;
  readonly uploadsVolume: string;
  qdrantContainer(generation: string): string;
}

export interface QdrantArgs {
  readonly stack: string;
  readonly settings: Pick<Settings, "qdrant">;
  readonly names: QdrantNames;
  /** Data generation: "0" is the first. Part of the container's name, so that two can run side by side. */
  readonly generation: string;
  /** Name of the stack's Docker network, on which the app reaches it by its container's name. */
  readonly network: pulumi.Input<string>;
  /**
   * True where the present release is declared as recorded: the key is then kept as it is in the state. A record holds no
   * secrets, and another key would replace the container.
   */
  readonly keepEnv: boolean;
}

/**
 * Qdrant with the volumes that hold the users' data. Volumes outlive the stack and the program: they are left where they are
 * when they are no longer declared, and taken up again when they are.
 */
export class Qdrant extends pulumi.ComponentResource {
  declare readonly container: docker.Container;
  declare readonly qdrantVolume: docker.Volume;
  declare readonly uploadsVolume: docker.Volume;

  constructor(name: string, args: QdrantArgs, opts?: pulumi.ComponentResourceOptions) {
    super("pbjrag:qdrant:Qdrant", name, {}, opts);
    const { stack, names, generation } = args;
    const { qdrant } = args.settings;
    const volume = (child: string, volumeName: string): docker.Volume =>
      new docker.Volume(
        `${name}-${child}`,
        { name: volumeName, labels: labelList({ stack, role: "data", generation }) },
        { parent: this, retainOnDelete: true },
      );
    this.qdrantVolume = volume("storage", names.qdrantVolume);
    this.uploadsVolume = volume("uploads", names.uploadsVolume);
    this.container = new docker.Container(
      `${name}-${generation}`,
      {
        name: names.qdrantContainer(generation),
        image: qdrant.image,
        envs: qdrant.apiKey === undefined ? [] : [pulumi.secret(`QDRANT__SERVICE__API_KEY=${qdrant.apiKey}`)],
        networksAdvanced: [{ name: args.network }],
        volumes: [{ volumeName: this.qdrantVolume.name, containerPath: "/qdrant/storage" }],
        // Any free port, and on this host only: the gate, backups and the operator reach it there, nobody else.
        ports: [{ internal: 6333, ip: "127.0.0.1" }],
        labels: labelList({ stack, role: "qdrant", generation }),
        ...containerLimits(qdrant),
        restart: "unless-stopped",
        mustRun: true,
        logDriver: "json-file",
        logOpts: { "max-size": "10m", "max-file": "3" },
        securityOpts: ["no-new-privileges:true"],
      },
      { parent: this, ...REPLACED_FOR_CPUS, ignoreChanges: args.keepEnv ? ["envs"] : [] },
    );
    this.registerOutputs({ container: this.container.name, qdrantVolume: this.qdrantVolume.name, uploadsVolume: this.uploadsVolume.name });
  }
}
