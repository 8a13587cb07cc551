/** One look at a revision without an update: for a release that runs already, and before a warm rollback. */
import { messageOf } from "../runtime/errors.js";
import { readEntrance } from "../traffic/live.js";
import type { GateSpec, Sample } from "./model.js";
import { Prober, type ProbeTarget } from "./probe.js";
import { judge } from "./verdict.js";

export interface ProbeOnceOptions extends Omit<ProbeTarget, "baseUrl" | "previewKey"> {
  stack: string;
  /** Counts that the collections had, where they are known. */
  before?: Record<string, number>;
}

export interface ProbeOnceResult {
  ok: boolean;
  /** In words; "" when all is well. */
  reason: string;
  /** Null when there was nothing to look through or Docker did not answer. */
  sample: Sample | null;
}

/** The front door: where it is, and the key to its preview. */
export type Live = Pick<ProbeTarget, "baseUrl" | "previewKey">;

/**
 * Never throws: what cannot be looked at is not well. Nothing is run in the containers: they have passed a gate, which looked into them, each
 * exec takes a tenth of a second and more, and an image's HEALTHCHECK up to half a minute, for which an emergency does not wait.
 */
export async function probeOnce(options: ProbeOnceOptions, live: (stack: string) => Promise<Live | null> = readEntrance): Promise<ProbeOnceResult> {
  const { stack, before = {}, ...target } = options;
  const spec: GateSpec = { passes: 1, deadlineMs: target.requestTimeoutMs, healthPath: target.healthPath, before };
  try {
    const front = await live(stack);
    if (front === null) {
      return { ok: false, reason: "the front door is not there or does not answer", sample: null };
    }
    const prober = new Prober({ ...target, baseUrl: front.baseUrl, previewKey: front.previewKey });
    try {
      const sample = await prober.sample(() => 0);
      const verdict = judge(spec, [sample], 0);
      return { ok: verdict.verdict === "pass", reason: verdict.verdict === "pass" ? "" : verdict.reason, sample };
    } finally {
      prober.close();
    }
  } catch (error) {
    return { ok: false, reason: messageOf(error), sample: null };
  }
}
