/** What stands behind the resource Judge. Light: a preview loads it only to compare. */
import { changedInputs, hasUnknown, type Handler } from "../runtime/handler.js";
import { readLive } from "../traffic/live.js";
import type { JudgeInputs, JudgeOuts } from "./model.js";

async function perform(inputs: JudgeInputs): Promise<JudgeOuts> {
  const { performJudging } = await import("./perform.js");
  return performJudging(inputs);
}

export const handler: Handler<JudgeInputs, JudgeOuts> = {
  /** One that could not tell goes on with the next update; so does one whose share is not what it left. */
  async diff(_id, olds, news) {
    if (hasUnknown(news) || changedInputs(olds, news, ["dataDir"]).length > 0 || !olds.promotes) return { changes: true };
    const canary = (await readLive(news.stack))?.table.canary;
    return { changes: canary?.revision.revision !== news.revision || canary.weight !== olds.weight || canary.until !== undefined };
  },
  create: async (inputs) => ({ id: `judge-${inputs.stack}-${inputs.revision}`, outs: await perform(inputs) }),
  update: (_id, _olds, news) => perform(news),
};
