import { readFileSync } from "node:fs";
import { z } from "zod";
import type { ReleaseRecord } from "../../components/release/model.js";
import { errors, EXIT, type ReleaseError } from "../../components/runtime/errors.js";
import { isObject } from "../../components/settings/defaults.js";
import { confirmed } from "./confirm.js";
import { ensureImages } from "./images.js";
import type { Outcome } from "./outcome.js";
import { type Present, readPresent } from "./present.js";
import { previewPlan } from "./preview.js";
import { replaceFile } from "./replace-file.js";
import type { Run } from "./run.js";
import { configValue, withConfig } from "./stack-file.js";
import { keepStateCopy } from "./state-copy.js";
import { TempConfig } from "./temp-config.js";
import { restorePresent, update } from "./update.js";
import type { Workspace } from "./workspace.js";

/** What `--canary` says: shares of new users in percent; none: as config has them. */
export type Shares = readonly number[];

/** `10`, or `10,25,50`. @throws ReleaseError `usage` */
export function sharesOf(text: string | true): Shares {
  if (text === true) return [];
  const shares = text.split(",").map((one) => (/^\d{1,2}$/.test(one.trim()) ? Number(one) : NaN));
  if (shares.some(Number.isNaN)) throw errors.usage({ why: "--canary wants shares of new users in percent", next: "say one, --canary=10, or several steps, --canary=10,25,50" });
  return shares;
}

/** The key `canary` for this run, as the stack's file has it but for the tag and the shares. */
export function canaryKey(ws: Pick<Workspace, "stackFile">, version: string, shares: Shares): object {
  const present = configValue(readFileSync(ws.stackFile, "utf8"), "canary");
  const { steps, ...rest } = isObject(present) ? present : {};
  if (shares.length === 0) return { ...rest, ...(steps === undefined ? {} : { steps }), version };
  return { ...rest, version, ...(shares.length === 1 ? { weight: shares[0] } : { steps: [...shares] }) };
}

/** Config with the canary beside what serves. @throws ReleaseError `usage` where nothing does, or this very tag */
export function trialValues(ws: Workspace, { version, ...values }: Record<string, unknown> & { version: string }, shares: Shares, serving: ReleaseRecord | undefined): Record<string, unknown> {
  if (serving === undefined) throw errors.usage({ why: `nothing is released on ${ws.stack} that a canary could be tried beside`, next: `release it without --canary` });
  if (serving.tag === version) throw errors.usage({ why: `${version} serves already`, next: "name another tag, or leave --canary out" });
  return { ...values, version: serving.tag, canary: canaryKey(ws, version, shares) };
}

/** The stack output `canary`. */
const tried = z.object({ version: z.string(), verdict: z.string(), promotes: z.boolean(), weight: z.number(), summary: z.string() });

/**
 * Tries a release beside the one that serves, and returns when it was judged.
 * @returns null where it may be promoted: the release goes on then. Else how the command ends
 */
export async function tryCanary(run: Run, values: Record<string, unknown> & { version: string }, shares: Shares, yes: boolean, present: Present): Promise<Outcome | null> {
  const serving = present.ledger.at(-1);
  const whole = trialValues(run.ws, values, shares, serving);
  const config = new TempConfig(run.ws, { ...whole, attempt: run.attempt === "" ? undefined : run.attempt });
  try {
    const { canary } = await previewPlan(run, config);
    if (canary === null) throw notPlanned(values.version);
    await ensureImages(run);
    run.checkpoint();
    if (!(await confirmed(run, yes, `Try ${canary.tag} on ${run.ws.stack} beside ${serving?.tag ?? ""}?`))) return { exitCode: EXIT.refused, summary: "not confirmed", next: "" };
    run.checkpoint();
    await run.announce({ tag: canary.tag, from: serving?.tag ?? null });
    const failure = await update(run, config);
    if (failure !== null) return await restorePresent(run, present, failure);
  } finally {
    config.remove();
  }
  return judged(run, whole, await readPresent(run.engine, run.ws));
}

function notPlanned(version: string): ReleaseError {
  return errors.usage({ why: `the program does not try ${version}`, next: "release it without --canary" });
}

/** What serves and what is tried is in the stack's file then, so that plain Pulumi keeps it so. */
function judged(run: Run, { version, canary }: Record<string, unknown>, after: Present): Outcome | null {
  const { version: tag, promotes, summary, weight } = tried.parse(after.outputs["canary"]);
  if (promotes && !run.interrupted) {
    run.say(`${tag} is promoted: ${summary}`);
    return null;
  }
  const { stackFile } = run.ws;
  replaceFile(stackFile, withConfig(readFileSync(stackFile, "utf8"), { version, canary }), 0o644);
  keepStateCopy(run.ws, after.ledger.at(-1)?.seq ?? 0, after.exported);
  return {
    exitCode: EXIT.unverified,
    held: true,
    summary: `${tag} keeps ${weight} % of new users beside ${String(version)}: ${summary}`,
    next: `scripts/deploy.sh --version ${tag} --canary judges it for as long again, without --canary it is promoted; --version ${String(version)} gives it up`,
  };
}
