import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { DataPart } from "../release/model.js";
import { labelList } from "../runtime/labels.js";
import { RESTART } from "../runtime/restart.js";
import { containerLimits, REPLACED_FOR_CPUS } from "../runtime/limits.js";
import type { Settings } from "../settings/schema.js";

/** Names that Qdrant needs; `StackNames` has them. */
export interface QdrantNames {
  qdrantVolume(generation: string): string;
  uploadsVolume(generation: string): string;
  qdrantContainer(generation: string): string;
}

export interface QdrantArgs {
  readonly stack: string;
  readonly settings: { readonly qdrant: Pick<Settings["qdrant"], "image" | "cpus" | "memory" | "apiKey"> };
  readonly names: QdrantNames;
  /** Data generation. Part of the names of containers and volumes, so that two can run side by side. */
  readonly generation: string;
  /** What of this generation is in use. */
  readonly parts: readonly DataPart[];
  /** Name of the stack's Docker network, on which the app reaches it by its container's name. */
  readonly network: pulumi.Input<string>;
  /**
   * True where a release is declared as recorded: the key is then kept as it is in the state. A record holds no
   * secrets, and another key would replace the container.
   */
  readonly keepEnv: boolean;
  /** Another made its volumes and labelled them: labels cannot be changed, and are left as they are. */
  readonly adopted: boolean;
}

/**
 * One generation of the users' data: a Qdrant with its volume, and the volume of the uploads. Volumes outlive the stack and
 * the program: they are left where they are when they are no longer declared, and taken up again when they are.
 */
export class Qdrant extends pulumi.ComponentResource {
  /** Null: this generation's Qdrant is not in use. */
  declare readonly container: docker.Container | null;
  /** Null: this generation's uploads are not in use. */
  declare readonly uploadsVolume: docker.Volume | null;

  constructor(name: string, private readonly args: QdrantArgs, opts?: pulumi.ComponentResourceOptions) {
    super("pbjrag:qdrant:Qdrant", name, {}, opts);
    const { generation, names, parts, adopted } = args;
    const volume = (child: string, volumeName: string): docker.Volume =>
      new docker.Volume(
        `${name}-${child}`,
        { name: volumeName, labels: labelList({ stack: args.stack, role: "data", generation }) },
        { parent: this, retainOnDelete: true, ignoreChanges: adopted ? ["labels"] : [] },
      );
    const storage = parts.includes("qdrant") ? volume("storage", names.qdrantVolume(generation)) : null;
    this.uploadsVolume = parts.includes("uploads") ? volume("uploads", names.uploadsVolume(generation)) : null;
    this.container = storage === null ? null : this.server(storage);
    this.registerOutputs({ container: this.container?.name, qdrantVolume: storage?.name, uploadsVolume: this.uploadsVolume?.name });
  }

  private server(storage: docker.Volume): docker.Container {
    const { stack, names, generation, network, keepEnv } = this.args;
    const { qdrant } = this.args.settings;
    return new docker.Container(
      `qdrant-${generation}`,
      {
        name: names.qdrantContainer(generation),
        image: qdrant.image,
        envs: qdrant.apiKey === undefined ? [] : [pulumi.secret(`QDRANT__SERVICE__API_KEY=${qdrant.apiKey}`)],
        networksAdvanced: [{ name: network }],
        volumes: [{ volumeName: storage.name, containerPath: "/qdrant/storage" }],
        // Any free port, and on this host only: the gate, backups and the operator reach it there, nobody else.
        ports: [{ internal: 6333, ip: "127.0.0.1" }],
        labels: labelList({ stack, role: "qdrant", generation }),
        ...containerLimits(qdrant),
        restart: RESTART,
        mustRun: true,
        logDriver: "json-file",
        logOpts: { "max-size": "10m", "max-file": "3" },
        securityOpts: ["no-new-privileges:true"],
      },
      { parent: this, ...REPLACED_FOR_CPUS, ignoreChanges: keepEnv ? ["envs"] : [] },
    );
  }
}
