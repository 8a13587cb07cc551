import { randomBytes } from "node:crypto";
import { prune, type Pruned } from "../../../components/backup/prune.js";
import { goes, type Retained } from "../../../components/backup/retention.js";
import { EXIT, messageOf } from "../../../components/runtime/errors.js";
import { roundSize } from "../../../components/settings/units.js";
import { assertOperatorConfig } from "../check-config.js";
import { confirmed } from "../confirm.js";
import { endLines, type Outcome } from "../outcome.js";
import { print } from "../output.js";
import { lookAtPresent, type Present } from "../present.js";
import { recover } from "../recover.js";
import { Run } from "../run.js";
import type { Workspace } from "../workspace.js";
import { retentionOf } from "./facts.js";
import { countOf } from "./words.js";

export interface PruneOptions {
  dryRun: boolean;
  yes: boolean;
  waitMs: number;
}

/** Removes what is old and needed by nothing, under the stack's lock: never in the middle of a backup. */
export async function pruneStack(ws: Workspace, options: PruneOptions): Promise<Outcome> {
  const rules = assertOperatorConfig(ws).backup;
  if (options.dryRun) {
    const items = await retentionOf(ws, await lookAtPresent(ws), rules);
    const outcome: Outcome = { exitCode: EXIT.done, summary: `${would(items.filter(goes))}; nothing was touched`, next: "" };
    print([...words(items), ...endLines(outcome)]);
    return outcome;
  }
  return Run.conduct(ws, { command: "prune", beside: true, waitMs: options.waitMs }, async (run) => {
    const present = (await run.engine.hasStack()) ? await recover(run) : await lookAtPresent(ws);
    const items = await retentionOf(ws, present, rules);
    for (const line of words(items)) run.say(line);
    const going = items.filter(goes);
    if (going.length === 0) return { exitCode: EXIT.done, summary: "there is nothing to remove", next: "" };
    if (!(await confirmed(run, options.yes, `Remove ${going.length} of them?`))) return { exitCode: EXIT.refused, summary: "not confirmed", next: "" };
    run.checkpoint();
    return outcomeOf(await removeAll(run, going));
  });
}

/** After a successful deploy, under its lock. Whatever happens here, the release is done: it is told, and the next prune tries again. */
export async function pruneAfterDeploy(run: Run, present: Present): Promise<void> {
  try {
    const going = (await retentionOf(run.ws, present, assertOperatorConfig(run.ws).backup)).filter(goes);
    if (going.length === 0 || run.interrupted) return;
    const pruned = await removeAll(run, going);
    run.say(pruned.failed.length === 0 ? `pruned: ${listed(pruned.removed)}` : outcomeOf(pruned).summary);
  } catch (error) {
    run.say(`what is old was not pruned: ${messageOf(error)}`);
  }
}

async function removeAll(run: Run, going: readonly Retained[]): Promise<Pruned> {
  const token = randomBytes(5).toString("hex");
  const pruned = await prune(going, { paths: run.ws.paths, token, goOn: () => !run.interrupted, assertHolds: () => run.assertHolds() });
  run.journal.write({ phase: "prune", event: pruned.failed.length === 0 ? "done" : "failed", message: `pruned ${listed(pruned.removed)}`, data: { ...pruned } });
  return pruned;
}

function outcomeOf({ removed, failed }: Pruned): Outcome {
  if (failed.length === 0) return { exitCode: EXIT.done, summary: `removed ${listed(removed)}`, next: "" };
  return {
    exitCode: EXIT.unverified,
    summary: `removed ${removed.length}, and ${failed.length} could not be removed`,
    next: "mend what it names and run scripts/backups.sh prune again",
    lines: failed.map(({ item, why }) => `${item.kind} ${item.name}: ${why}`),
  };
}

/** What goes, then what stays and why. */
function words(items: readonly Retained[]): string[] {
  return [
    ...items.filter(goes).map((item) => `goes   ${item.kind} ${item.name}${item.bytes === null ? "" : ` (${roundSize(item.bytes)})`}`),
    ...items.filter((item) => !goes(item)).map((item) => `stays  ${item.kind} ${item.name}: ${item.why.join("; ")}`),
  ];
}

function would(going: readonly Retained[]): string {
  return going.length === 0 ? "there is nothing to remove" : `a prune would remove ${listed(going)}`;
}

/** `2 backups and 1 image, up to 3.1 GiB`: images share layers, and a volume's size is not known. */
function listed(items: readonly Retained[]): string {
  const counts = (["backup", "image", "volume"] as const).flatMap((kind) => {
    const count = items.filter((item) => item.kind === kind).length;
    return count === 0 ? [] : [countOf(count, kind)];
  });
  const bytes = items.reduce((sum, item) => sum + (item.bytes ?? 0), 0);
  return counts.length === 0 ? "nothing" : `${counts.join(" and ")}${bytes === 0 ? "" : `, up to ${roundSize(bytes)}`}`;
}
