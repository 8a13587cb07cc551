import { measure } from "../../components/metrics/look.js";
import { prometheusText } from "../../components/metrics/prometheus.js";
import { errors, EXIT } from "../../components/runtime/errors.js";
import { readLive } from "../../components/traffic/live.js";
import type { Outcome } from "./outcome.js";
import { print } from "./output.js";
import type { Workspace } from "./workspace.js";

/** Measures, and prints it for Prometheus. */
export async function printMetrics({ stack, paths }: Workspace): Promise<Outcome> {
  const live = await readLive(stack);
  if (live === null) throw errors.usage({ why: `nothing is released on ${stack}`, next: "run scripts/deploy.sh first" });
  print(await prometheusText({ stack, serving: live.table.serving, ...(await measure(paths, live.table)) }));
  return { exitCode: EXIT.done, summary: "", next: "" };
}
