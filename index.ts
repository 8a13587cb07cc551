import * as pulumi from "@pulumi/pulumi";
import { Guard, permittedBy } from "./components/guard/guard.js";
import type { Cleared } from "./components/release/preflight.js";
import { preflight } from "./components/release/preflight.js";
import { endRefused, isSecretKey, rawConfig, readLedger, reportProblems, tellFailure, tellPlan } from "./components/release/program.js";
import { Release } from "./components/release/release.js";
import { catchUncaught, showThrown } from "./components/release/uncaught.js";

type Outputs = Record<string, pulumi.Input<unknown>>;

/** Settings and ledger -> plan -> Release -> outputs. All refusals come before the first resource. */
export = async (): Promise<Outputs> => {
  catchUncaught(tellFailure);
  try {
    return declare(await clear());
  } catch (error) {
    // What was declared reaches the engine later: nothing of it has been made.
    return endRefused([showThrown(error)]);
  }
};

async function clear(): Promise<Cleared> {
  const checked = await preflight({ stack: pulumi.getStack(), config: rawConfig(), isSecret: isSecretKey, ledger: await readLedger() });
  if ("problems" in checked) return reportProblems(checked);
  await tellPlan(checked);
  return checked;
}

function declare(checked: Cleared): Outputs {
  const guard = new Guard(permittedBy(checked.plan, checked.settings));
  const release = new Release(pulumi.getStack(), checked, { transformations: [guard.look] });
  return guard.problems.length > 0 ? endRefused(guard.problems) : release.outputs;
}
