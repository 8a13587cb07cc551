import { errors, ReleaseError } from "../../runtime/errors.js";
import { changedInputs, hasUnknown, type Handler } from "../../runtime/handler.js";
import { openJournal } from "../../runtime/journal.js";
import { assertHolds } from "../../runtime/lock.js";
import { handlerPaths } from "../../runtime/paths.js";
import { inWords, prepareFront, readLive } from "../live.js";
import { optionsAt } from "../look.js";
import type { ProxyOptions } from "../options.js";
import { render } from "../render.js";

export interface FrontInputs {
  stack: string;
  /** The container whose config this is: another one needs it anew. */
  proxyContainer: string;
  dataDir: string;
  /** What the operator sets. */
  options: ProxyOptions;
}

/** Whether the live proxy serves what today's program would write for the routes that it has. */
async function isCurrent({ stack, options }: FrontInputs): Promise<boolean> {
  const live = await readLive(stack);
  return live !== null && live.fileServed && live.digest === render(live.table, live.previewKey, optionsAt(live.look.door, options)).digest;
}

async function prepare(inputs: FrontInputs): Promise<FrontInputs> {
  const paths = handlerPaths(inputs);
  const journal = openJournal(paths);
  journal.write({ phase: "front", event: "start", message: "preparing the front door" });
  try {
    const { changed, digest, tookMs } = await prepareFront(inputs.stack, { assertHolds: () => assertHolds(paths) }, inputs.options);
    const message = changed ? "the front door has its config" : "the front door had its config";
    journal.write({ phase: "front", event: "done", message, data: { digest, tookMs } });
    return inputs;
  } catch (error) {
    const failure = error instanceof ReleaseError ? error : errors.frontFailed({ why: inWords(error) }, error);
    journal.failed("front", failure);
    throw failure;
  }
}

export const handler: Handler<FrontInputs, FrontInputs> = {
  async diff(_id, olds, news) {
    const changes = changedInputs(olds, news, ["dataDir"]).length > 0 || hasUnknown(news) || !(await isCurrent(news));
    return { changes };
  },
  async create(inputs) {
    return { id: `front-${inputs.stack}`, outs: await prepare(inputs) };
  },
  async update(_id, _olds, news) {
    return prepare(news);
  },
};
