import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { StackNames } from "../release/names.js";
import { labelList } from "../runtime/labels.js";
import { RESTART } from "../runtime/restart.js";
import { containerLimits, REPLACED_FOR_CPUS } from "../runtime/limits.js";
import type { Settings } from "../settings/schema.js";
import { FRONT_PORT, LIVE_DIR, LIVE_FILE, MASTER_PORT } from "./model.js";

export interface ProxyArgs {
  readonly stack: string;
  readonly names: StackNames;
  /** Image, published address and limits. Any change but one of memory interrupts the service. */
  readonly settings: Pick<Settings["proxy"], "image" | "bind" | "port" | "cpus" | "memory">;
  /** Name of the stack's Docker network. */
  readonly network: pulumi.Input<string>;
}

// The config comes later, from the front's handler, and outlives this container on its volume. One that this image's
// HAProxy refuses is waited out: so it can be replaced, which it could not in a container that ends again and again.
// As process 1 the shell heeds only signals that it traps.
const COMMAND = [
  `trap 'exit 0' TERM USR1`,
  `until [ -s ${LIVE_FILE} ]; do sleep 0.1; done`,
  `until haproxy -c -f ${LIVE_FILE}; do sleep 1; done`,
  `exec haproxy -W -db -S 127.0.0.1:${MASTER_PORT} -f ${LIVE_FILE}`,
].join("; ");

/** HAProxy, the only way in: its published port is the service's address. What it serves is no input of it. */
export class Proxy extends pulumi.ComponentResource {
  declare readonly container: docker.Container;
  /** `http://<address>:<port>` */
  declare readonly url: pulumi.Output<string>;

  constructor(name: string, args: ProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("pbjrag:traffic:Proxy", name, {}, opts);
    const { stack, names, settings } = args;
    const labels = labelList({ stack, role: "proxy" });
    const volume = new docker.Volume(`${name}-live`, { name: names.proxyVolume, labels }, { parent: this });
    this.container = new docker.Container(
      name,
      {
        name: names.proxyContainer,
        image: settings.image,
        command: ["sh", "-c", COMMAND],
        // A name of a container that is gone is asked for upstream, where maybe nobody answers.
        envs: ["RES_OPTIONS=timeout:1 attempts:1"],
        networksAdvanced: [{ name: args.network }],
        ports: [{ internal: FRONT_PORT, external: settings.port, ip: settings.bind }],
        volumes: [{ volumeName: volume.name, containerPath: LIVE_DIR }],
        labels,
        ...containerLimits(settings),
        restart: RESTART,
        logDriver: "json-file",
        logOpts: { "max-size": "10m", "max-file": "3" },
        securityOpts: ["no-new-privileges:true"],
        capabilities: { drops: ["ALL"] },
      },
      { parent: this, ...REPLACED_FOR_CPUS },
    );
    const host = settings.bind === "0.0.0.0" ? "127.0.0.1" : settings.bind;
    this.url = this.container.name.apply(() => `http://${host}:${settings.port}`);
    this.registerOutputs({ url: this.url });
  }
}
