import type * as pulumi from "@pulumi/pulumi";
import { HandledResource } from "../runtime/dynamic.js";
import type { GateInputs, GateOuts, Measured } from "./model.js";

/** The gate's arguments, as outputs of the resources that it looks at: it runs after all of them. */
export type GateArgs = { readonly [K in keyof GateInputs]: pulumi.Input<GateInputs[K]> };

/**
 * Proves a revision before users are sent to it: N rounds in a row in which its containers, its script and the vector
 * store are well, seen through the front door. It fails the update otherwise, and leaves nothing in the state then.
 */
export class Gate extends HandledResource<GateInputs, GateOuts> {
  /** What the proof measured. */
  declare readonly measured: pulumi.Output<Measured>;
  declare readonly revision: pulumi.Output<string>;

  /** @param name by the revision: a gate is new for each, and repeated for a new role or attempt */
  constructor(name: string, args: GateArgs, opts?: pulumi.CustomResourceOptions) {
    super("gate", "Gate", name, args, ["measured"], opts);
  }
}
