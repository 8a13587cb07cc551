/** How the checklist of one tag went, as it is kept for the deploy that follows. Pure. */
import { z } from "zod";
import { formatDuration } from "../settings/units.js";
import { type CheckResult, checkResultSchema, type Tick, tickSchema } from "./model.js";
import { type Item, toTick } from "./person.js";

export const checkedSchema = z.object({
  schema: z.literal(1),
  stack: z.string(),
  tag: z.string(),
  /** What the tag led to: a tag that has moved since is another release. */
  commit: z.string(),
  /** ISO 8601. */
  at: z.string(),
  results: z.array(checkResultSchema),
  ticks: z.array(tickSchema),
  /** What stands between this and a pass, in words. */
  open: z.array(z.string()),
});

export type Checked = z.infer<typeof checkedSchema>;

/** What stands between these and a pass. */
export function openOf(items: readonly Item[], results: readonly CheckResult[], ticks: readonly Tick[]): string[] {
  const ticked = new Set(ticks.map(({ name }) => name));
  return [
    ...results.filter(({ status }) => status === "fail").map(({ name, what }) => `${name} failed: ${what}`),
    ...toTick(items, results).filter(({ name }) => !ticked.has(name)).map(({ name }) => `${name} is not ticked`),
  ];
}

/** Why a tag may not be released yet, or null. @param now milliseconds since 1970 @param maxAge milliseconds */
export function passProblem(checked: Checked | null, commit: string, now: number, maxAge: number): string | null {
  if (checked === null) return "it was not gone through on this machine";
  if (checked.commit !== commit) return `the tag has moved since: it was gone through at ${checked.commit.slice(0, 12)}, and leads to ${commit.slice(0, 12)} now`;
  if (checked.open.length > 0) return checked.open.join("; ");
  const age = now - Date.parse(checked.at);
  return age >= 0 && age <= maxAge ? null : `it was gone through at ${checked.at}, and is good for ${formatDuration(maxAge)}`;
}
