import type * as pulumi from "@pulumi/pulumi";
import { HandledResource } from "../runtime/dynamic.js";
import type { JudgeInputs, JudgeOuts } from "./model.js";

/** The judge's arguments, as outputs of what comes before it. */
export type JudgeArgs = { readonly [K in keyof JudgeInputs]: pulumi.Input<JudgeInputs[K]> };

/**
 * Gives a canary its share of new users and judges it by what they get. It fails the update when the canary is worse than what serves;
 * nobody is sent there any more then, before anything else is done.
 */
export class Judge extends HandledResource<JudgeInputs, JudgeOuts> {
  /** `pass`, or `insufficient`. */
  declare readonly verdict: pulumi.Output<string>;
  declare readonly promotes: pulumi.Output<boolean>;
  /** In one sentence. */
  declare readonly summary: pulumi.Output<string>;
  /** Percent of new users. */
  declare readonly weight: pulumi.Output<number>;

  constructor(name: string, args: JudgeArgs, opts?: pulumi.CustomResourceOptions) {
    super("canary", "Judge", name, args, ["verdict", "promotes", "summary", "weight"], opts);
  }
}
