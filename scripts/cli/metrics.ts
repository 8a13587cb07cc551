import { measure } from "../../components/metrics/look.js";
import { prometheusText } from "../../components/metrics/prometheus.js";
import { errors, EXIT } from "../../components/runtime/errors.js";
import { readLive } from "../../components/traffic/live.js";
import { operationsOf } from "./operations.js";
import type { Outcome } from "./outcome.js";
import { print } from "./output.js";
import type { Workspace } from "./workspace.js";

/** Measures, and prints it for Prometheus. */
export async function printMetrics({ stack, paths }: Workspace): Promise<Outcome> {
  const live = await readLive(stack);
  if (live === null) throw errors.usage({ why: `nothing is released on ${stack}`, next: "run scripts/deploy.sh first" });
  const [measured, operations] = await Promise.all([measure(paths, live.table), operationsOf(paths, live)]);
  print(await prometheusText({ stack, ...operations, ...measured }));
  return { exitCode: EXIT.done, summary: "", next: "" };
}
