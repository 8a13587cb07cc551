import * as pulumi from "@pulumi/pulumi";
import { openJournal, type NewEvent } from "../runtime/journal.js";
import { dataPaths } from "../runtime/paths.js";
import { readable, readableLine } from "../runtime/readable.js";
import type { Plan, Problem } from "./model.js";
import { entryOf } from "./notices.js";
import { planEvent } from "./plan-event.js";

/** The stack's raw config, keys with their namespace; secrets decrypted. */
export function rawConfig(): Record<string, string> {
  return pulumi.runtime.allConfig();
}

/** Whether a key of config holds something that is stored encrypted: the engine names those that do, not where below them. */
export function isSecretKey([key]: readonly string[], env: NodeJS.ProcessEnv = process.env): boolean {
  const keys: unknown = JSON.parse(env["PULUMI_CONFIG_SECRET_KEYS"] || "[]");
  return Array.isArray(keys) && keys.includes(key);
}

/**
 * The stack output `releases` of the last successful update, read through Pulumi itself: so the ledger travels with the
 * state, and a failed update leaves it as it was. Undefined before the first release.
 */
export async function readLedger(): Promise<unknown> {
  const own = new pulumi.StackReference("self", { name: `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}` });
  const details: { value?: unknown; secretValue?: unknown } = await own.getOutputDetails("releases");
  return details.value ?? details.secretValue;
}

/** Shows all problems at once, tells the CLI, and ends: exit code 32 means that the error was shown already. */
export async function reportProblems({ problems, table }: { problems: Problem[]; table: string }): Promise<never> {
  if (table !== "") await pulumi.log.info(readable(table));
  await pulumi.log.error(refused(problems));
  process.exit(32);
}

/** The same for problems of what is declared already, before any of it is sent: nothing is waited for. */
export function endRefused(problems: Problem[]): never {
  process.stderr.write(`${refused(problems)}\n`);
  process.exit(32);
}

function refused(problems: Problem[]): string {
  const lines = problems.map((problem) => `${problem.subject}: ${problem.what}. Next: ${problem.next}`);
  tellRun({ phase: "refused", event: "failed", message: lines.join("\n"), data: { problems } });
  return `refused, nothing was touched:\n${lines.map((line) => `  - ${readableLine(line)}`).join("\n")}`;
}

/** A failure while the engine was at work already: what it has made may have changed something. */
export function tellFailure({ what, next }: Problem): void {
  tellRun({ phase: "program", event: "failed", message: what, data: { what: "the program", why: what, next } });
}

/** Shows what a person should know before agreeing, above every resource, and tells the CLI what is planned. */
export async function tellPlan({ plan, table }: { plan: Plan; table: string }): Promise<void> {
  for (const notice of plan.notices) await pulumi.log.warn(readable(notice));
  const entry = entryOf(plan);
  if (pulumi.runtime.isDryRun()) {
    if (table !== "") await pulumi.log.info(readable(table));
    if (entry !== null) await pulumi.log.info(readable(entry));
  }
  tellRun({ phase: "plan", event: "info", message: plan.notices.join("\n"), data: planEvent(plan) });
}

/** Writes into the journal of the run that started this program; a plain `pulumi preview` leaves no trace. */
function tellRun(event: NewEvent): void {
  const dataDir = process.env["PBJRAG_DATA_DIR"];
  if (!process.env["PBJRAG_RUN"] || dataDir === undefined) return;
  openJournal(dataPaths(dataDir, pulumi.getStack())).write(event);
}
