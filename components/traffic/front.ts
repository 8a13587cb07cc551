import type * as pulumi from "@pulumi/pulumi";
import { HandledResource } from "../runtime/dynamic.js";
import type { FrontInputs } from "./front/handler.js";
import type { ProxyOptions } from "./options.js";

export interface FrontArgs {
  readonly stack: pulumi.Input<string>;
  /** Name of the proxy's container. */
  readonly proxyContainer: pulumi.Input<string>;
  /** Where the journal lies; relative to the project. */
  readonly dataDir: pulumi.Input<string>;
  /** What the operator sets of its config. */
  readonly options: pulumi.Input<ProxyOptions>;
}

/**
 * The front door's config as today's program renders it, with the routes that are live: needed before the gate, which
 * looks at a candidate through it. It moves no traffic.
 */
export class Front extends HandledResource<FrontInputs, FrontInputs> {
  constructor(name: string, args: FrontArgs, opts?: pulumi.CustomResourceOptions) {
    super("traffic/front", "Front", name, args, [], opts);
  }
}
