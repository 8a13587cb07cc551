/**
 * Our dynamic resources. Pulumi keeps in the state what is to be run for them, as text. `pulumi.dynamic.Resource` makes it anew at each
 * start by taking functions apart with the TypeScript compiler, which takes longer than all else of the program, and gives another text
 * after each change of either; ours is one line that loads the provider as it is compiled. A new text alone is no change of a resource.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Room } from "./provider.js";

/** JavaScript whose `handler` gives the provider, for Pulumi's dynamic provider to run in the project's directory. */
export function providerText(room: Room): string {
  return `exports.handler = () => {
  const file = process.cwd() + "/dist/provider.cjs";
  let loaded;
  try {
    loaded = require(file);
  } catch (error) {
    throw new Error("The compiled provider cannot be loaded: " + error.message + ". Next: run npm ci (or npm run build) in the project's directory");
  }
  return loaded.providerOf(${JSON.stringify(room)});
};
`;
}

/** Outputs that the handler adds to the inputs: declared to the engine, undefined until it has answered. */
type OutputNames<I extends object, O extends I> = Exclude<keyof O & string, keyof I>;

/**
 * A dynamic resource whose work is done by its room's handler. Subclasses say `declare readonly x: pulumi.Output<…>`
 * for what they give out: a plain field would be written over the engine's output.
 */
export abstract class HandledResource<I extends object, O extends I> extends pulumi.CustomResource {
  /**
   * @param outputs names of the outputs that are no inputs
   * @param type last part of the resource's type
   */
  protected constructor(
    room: Room,
    type: string,
    name: string,
    args: { [K in keyof I]: pulumi.Input<I[K]> },
    outputs: readonly OutputNames<I, O>[],
    opts?: pulumi.CustomResourceOptions,
  ) {
    const undetermined = Object.fromEntries(outputs.map((key) => [key, undefined]));
    super(`pulumi-nodejs:dynamic/pbjrag:${type}`, name, { ...undetermined, ...args, __provider: providerText(room) }, opts);
  }
}
