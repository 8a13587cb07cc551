import { errors, type ReleaseError } from "../../components/runtime/errors.js";
import { readLive } from "../../components/traffic/live.js";
import { localTime } from "./when.js";

/** What is tried on a stack. */
export interface Trial {
  tag: string;
  revision: string;
  /** Percent of new users. */
  weight: number;
  /** ISO 8601, when its share ends by itself; null: it lasts. */
  until: string | null;
}

/** Null: nothing is. @throws ReleaseError of Docker */
export async function trialOn(stack: string): Promise<Trial | null> {
  const canary = (await readLive(stack))?.table.canary;
  if (canary === undefined) return null;
  const { revision, weight, until } = canary;
  return { tag: revision.tag, revision: revision.revision, weight, until: until === undefined ? null : new Date(until * 1000).toISOString() };
}

export function trialInWords({ tag, revision, weight, until }: Trial): string {
  const share = weight === 0 ? "no user" : `${weight} % of new users`;
  return `${tag} (${revision}), ${share}${until === null ? "" : `, judged until ${localTime(until)} at the latest`}`;
}

/** What moves data, or ends the former release, is not done while users are on two releases. @throws ReleaseError `usage` */
export async function refuseWhileTried(stack: string, serving: string): Promise<void> {
  const trial = await trialOn(stack);
  if (trial !== null) throw underTrial(trial, serving);
}

function underTrial(trial: Trial, serving: string): ReleaseError {
  return errors.usage({
    why: `a canary is tried: ${trialInWords(trial)}`,
    next: `promote it (scripts/deploy.sh --version ${trial.tag}) or give it up (scripts/deploy.sh --version ${serving}), then run again`,
  });
}
