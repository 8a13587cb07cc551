import { errors, messageOf, ReleaseError } from "../runtime/errors.js";
import { runTask } from "../runtime/task.js";
import { formatDuration } from "../settings/units.js";
import { type AdoptOutcome, type AdoptRequest, adoptRequestSchema } from "./model.js";
import { adopt } from "./run.js";

/** The process that stops what a stack takes over from. */
runTask<AdoptRequest, AdoptOutcome>({
  phase: "adopt",
  variable: "PBJRAG_ADOPT",
  request: adoptRequestSchema,
  begins: ({ containers }) => `taking over from ${containers.join(", ")}`,
  about: ({ containers }) => ({ containers }),
  perform: adopt,
  ended: ({ stopped }) => `${stopped.join(", ")} are stopped and kept as they are`,
  stop: {
    late: (deadlineMs) => new Error(`it was not done within ${formatDuration(deadlineMs)}`),
    by: (signal) => new Error(`it was stopped by ${signal}`),
    is: () => false,
  },
  failure: (error, { containers }) => {
    if (error instanceof ReleaseError && (error.code === "lockHeld" || error.code === "lockLost")) return error;
    return errors.adoptFailed({ containers, why: error instanceof ReleaseError ? `${error.what}: ${error.why}` : messageOf(error) }, error);
  },
});
