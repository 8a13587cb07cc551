import { endFormerRuns } from "../../components/runtime/processes.js";
import type { Run } from "./run.js";

/**
 * Ends what killed runs left running. Not only the last one: it may have been killed before it came to this. Repeating it
 * does nothing.
 */
export async function endLeftovers(run: Run): Promise<void> {
  const ended = await endFormerRuns({ lock: run.ws.paths.lock, fence: run.token });
  if (ended.length > 0) run.say(`ended ${ended.length} processes that a killed run left`);
  if (ended.length === 0 && run.takenOver === null) return;
  run.journal.write({ phase: "recover", event: "info", message: run.takenOver === null ? "" : `took over from ${run.takenOver.run}`, data: { ended } });
}
