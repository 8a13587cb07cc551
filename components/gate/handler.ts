/** What stands behind the resource Gate. Light: a preview loads it only to compare inputs. */
import { changedInputs, type Handler } from "../runtime/handler.js";
import type { GateInputs, GateOuts } from "./model.js";

async function perform(inputs: GateInputs): Promise<GateOuts> {
  const { performGate } = await import("./perform.js");
  return performGate(inputs);
}

export const handler: Handler<GateInputs, GateOuts> = {
  // Where the data lies differs between clones of one project and has nothing to do with what was proven.
  diff: (_id, olds, news) => Promise.resolve({ changes: changedInputs(olds, news, ["dataDir"]).length > 0 }),
  create: async (inputs) => ({ id: `gate-${inputs.stack}-${inputs.revision}`, outs: await perform(inputs) }),
  update: (_id, _olds, news) => perform(news),
};
