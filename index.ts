import * as pulumi from "@pulumi/pulumi";
import { isSecretKey, rawConfig, readLedger, reportProblems, tellPlan } from "./components/release/program.js";
import { preflight } from "./components/release/preflight.js";
import { Release } from "./components/release/release.js";

/** Settings and ledger -> plan -> Release -> outputs. All refusals come before the first resource. */
export = async (): Promise<Record<string, pulumi.Input<unknown>>> => {
  const stack = pulumi.getStack();
  const checked = await preflight({ stack, config: rawConfig(), isSecret: isSecretKey, ledger: await readLedger() });
  if ("problems" in checked) return reportProblems(checked);
  await tellPlan(checked);
  return new Release(stack, checked).outputs;
};
