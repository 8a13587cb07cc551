/** What traffic a canary takes, for the preview. Loaded where there is one: the distributions take their time. Pure. */
import { looksOf, RUN_EVERY_MS } from "../canary/rules.js";
import { alphaOf } from "../judge/looks.js";
import { powerOf, requestsToPass } from "../judge/needed.js";
import { percent } from "../metrics/traffic.js";
import type { CanaryPlan } from "./model.js";

/** Failing requests of a canary that the preview gives the chance of finding. */
const SHOWN_RATE = 0.05;

export function neededInWords({ steps, durationMs, thresholds, synthetic, onInsufficient }: CanaryPlan): string {
  const weight = steps[0] ?? 1;
  const allowed = thresholds.errors / 100;
  const requests = requestsToPass(allowed, weight);
  if (requests === null) return "no traffic is enough for the canary to pass: raise canary.thresholds.errors";
  const rate = (requests * 100) / weight / (durationMs / 1000);
  const found = powerOf({ requests, weight, rate: SHOWN_RATE, allowed, alpha: alphaOf(looksOf(steps, onInsufficient), synthetic > 0) });
  const chance = `one of whose requests ${percent(SHOWN_RATE)} fail is found out by so many with a probability of ${percent(found)}`;
  return `to pass it needs ${requests} requests with none failed (some ${rate.toFixed(1)} requests a second to the stack), in each step; ${chance}${synthetic === 0 ? "" : `; ${syntheticInWords(synthetic, durationMs, allowed)}`}`;
}

/** Both releases get as many of them. */
function syntheticInWords(sessions: number, durationMs: number, allowed: number): string {
  const runs = Math.floor(durationMs / RUN_EVERY_MS) * sessions;
  const needed = requestsToPass(allowed, 50);
  return `or ${needed ?? "no number of"} runs of its script by synthetic sessions: ${sessions} of them make about ${runs}${needed !== null && runs < needed ? ", which is too few: raise canary.synthetic or canary.duration" : ""}`;
}
