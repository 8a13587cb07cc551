import * as pulumi from "@pulumi/pulumi";
import { Guard, permittedBy } from "./components/guard/guard.js";
import { endRefused, isSecretKey, rawConfig, readLedger, reportProblems, tellPlan } from "./components/release/program.js";
import { preflight } from "./components/release/preflight.js";
import { Release } from "./components/release/release.js";

/** Settings and ledger -> plan -> Release -> outputs. All refusals come before the first resource. */
export = async (): Promise<Record<string, pulumi.Input<unknown>>> => {
  const stack = pulumi.getStack();
  const checked = await preflight({ stack, config: rawConfig(), isSecret: isSecretKey, ledger: await readLedger() });
  if ("problems" in checked) return reportProblems(checked);
  await tellPlan(checked);
  const guard = new Guard(permittedBy(checked.plan, checked.settings));
  const release = new Release(stack, checked, { transformations: [guard.look] });
  return guard.problems.length > 0 ? endRefused(guard.problems) : release.outputs;
};
