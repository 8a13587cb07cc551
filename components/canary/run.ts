/** The judging's story, step by step and look by look. The world is handed in, so that minutes take no time in tests. */
import { judge } from "../judge/judge.js";
import { LOOKS } from "../judge/looks.js";
import type { Evidence, Verdict } from "../judge/model.js";
import type { JudgeInputs, Judged } from "./model.js";
import { EXTENSIONS, looksOf } from "./rules.js";

export interface CanaryWorld {
  /** Gives the canary its share. @param leaseMs milliseconds until it ends by itself; null: it lasts */
  share(weight: number, leaseMs: number | null): Promise<void>;
  /** What came since {@link begin}. */
  observe(): Promise<Evidence>;
  /** From now on it counts. */
  begin(): Promise<void>;
  /** Resolves after so many milliseconds; throws as soon as this run may not go on. */
  pause(ms: number): Promise<void>;
  onLook(look: Look): void;
  /** Milliseconds, never set back. */
  monotonic(): number;
}

export interface Look {
  /** From 1. */
  step: number;
  weight: number;
  look: number;
  of: number;
  verdict: Verdict;
}

/** Milliseconds from one observation to the next at most: the proxy's log is bounded. */
const OBSERVE_MS = 15_000;
/** Milliseconds that the share outlasts the time until it is renewed, or ends: a look takes a moment. */
const SLACK_MS = 60_000;
/** Each renewal is a reload, which leaves a worker behind for as long as its users stay. */
const RENEW_MS = 900_000;

/** @returns how it ended, or the verdict by which it failed; its share is then what it was, and for the caller to end */
export async function runJudging(inputs: JudgeInputs, world: CanaryWorld): Promise<Judged | (Verdict & { verdict: "fail" })> {
  const { steps, onInsufficient } = inputs;
  let last: Judged = { verdict: "insufficient", promotes: false, summary: "", weight: 0 };
  for (const [at, weight] of steps.entries()) {
    const verdict = await judgeStep(inputs, world, at + 1, weight);
    const { summary } = verdict;
    if (fails(verdict)) return verdict;
    if (verdict.verdict === "insufficient" && onInsufficient === "fail") return { ...verdict, verdict: "fail", summary: `${summary} (canary.onInsufficient is fail)` };
    const promotes = verdict.verdict === "pass" || onInsufficient === "promote";
    last = { verdict: verdict.verdict === "pass" ? "pass" : "insufficient", promotes, summary, weight };
    if (!promotes) break;
  }
  await world.share(last.weight, null);
  return last;
}

function fails(verdict: Verdict): verdict is Verdict & { verdict: "fail" } {
  return verdict.verdict === "fail";
}

/** Each step is judged by what came in it: what it was like with fewer users says little. */
async function judgeStep(inputs: JudgeInputs, world: CanaryWorld, step: number, weight: number): Promise<Verdict> {
  const rounds = inputs.onInsufficient === "extend" ? 1 + EXTENSIONS : 1;
  const of = LOOKS * rounds;
  const keeper = new ShareKeeper(world, weight, inputs.durationMs);
  await keeper.renew();
  await world.begin();
  const began = world.monotonic();
  for (let look = 1; ; look += 1) {
    const evidence = await observeUntil(world, keeper, began + (look * inputs.durationMs) / LOOKS);
    const verdict = judge(inputs.thresholds, evidence, looksOf(inputs.steps, inputs.onInsufficient));
    world.onLook({ step, weight, look, of, verdict });
    const isEnd = look % LOOKS === 0;
    if (verdict.verdict === "fail" || (isEnd && (verdict.verdict === "pass" || look === of))) return verdict;
  }
}

/** Looks at the containers on the way: what needs no counting is not waited for. */
async function observeUntil(world: CanaryWorld, keeper: ShareKeeper, until: number): Promise<Evidence> {
  for (;;) {
    const left = until - world.monotonic();
    await world.pause(Math.max(0, Math.min(OBSERVE_MS, left)));
    await keeper.renew();
    const evidence = await world.observe();
    const { restarts, down } = evidence.containers;
    if (world.monotonic() >= until || restarts > 0 || down !== "") return evidence;
  }
}

/** Lets the share outlive this run by no more than a step's time. */
class ShareKeeper {
  private renewAt = -Infinity;

  constructor(private readonly world: CanaryWorld, private readonly weight: number, private readonly durationMs: number) {}

  async renew(): Promise<void> {
    if (this.world.monotonic() < this.renewAt) return;
    const span = Math.min(this.durationMs, RENEW_MS);
    await this.world.share(this.weight, span + SLACK_MS);
    this.renewAt = this.world.monotonic() + span + SLACK_MS / 2;
  }
}
