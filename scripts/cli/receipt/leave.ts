/** The receipt that a run leaves, written when all else is done. */
import { existsSync } from "node:fs";
import path from "node:path";
import { buildReceipt, deservesReceipt, type RunFacts, switchOf, watchOf } from "../../../components/receipt/build.js";
import { type Receipt, type ReceiptCommand, receiptSchema } from "../../../components/receipt/model.js";
import { readRun } from "../../../components/runtime/journal.js";
import type { LastRun } from "../last-run.js";
import { whoBegan } from "../notify/notices.js";
import { exitInWords, type Outcome } from "../outcome.js";
import type { Run, RunOptions } from "../run.js";
import { storedReceipts, storeReceipt } from "./store.js";
import { lastLines, manifests, trafficBetween } from "./sources.js";

/** Lines of a run's log that an incident report begins with. */
const LOG_LINES = 40;

/** What it needs to know of a run. */
export type Leaving = Pick<Run, "ws" | "id" | "startedAt" | "before" | "terminal" | "events" | "say" | "protectSecrets">;

/**
 * For this run, and for one before it that was killed.
 * @throws Error when it cannot be written
 */
export async function leaveReceipts(run: Leaving, { command, rehearsal = false }: Pick<RunOptions, "command" | "rehearsal">, outcome: Outcome): Promise<void> {
  const masked = await secretsAreKnown(run);
  const killed = run.before === null ? null : factsOfKilled(run, run.before);
  if (killed !== null && !storedReceipts(run.ws.paths).some(({ receipt }) => receipt.run === killed.run)) await leave(run, killed, masked);
  const known = receiptCommand(command);
  const events = run.events();
  if (known === null || !deservesReceipt(events, outcome.exitCode)) return;
  const { exitCode, summary, next, lines = [] } = outcome;
  const file = await leave(run, {
    run: run.id, stack: run.ws.stack, command: known, by: whoBegan(process.env), rehearsal, startedAt: run.startedAt, endedAt: new Date(), events,
    outcome: { exitCode, words: exitInWords(exitCode), summary, next, lines: [...lines] },
    log: path.relative(run.ws.paths.dataDir, run.terminal.file), logTail: lastLines(run.terminal.file, LOG_LINES),
  }, masked);
  run.say(`receipt ${path.relative(run.ws.projectDir, file)}`);
}

/** @returns the receipt's path */
async function leave(run: Leaving, facts: RunFacts, masked: boolean): Promise<string> {
  const { paths, stack } = run.ws;
  const switched = switchOf(facts.events, facts.startedAt);
  const before = facts.events.some(({ phase, data }) => phase === "plan" && data?.["presentTag"] === null);
  // What a watch went back for belongs to it.
  const began = watchOf(facts.events)?.since ?? facts.startedAt;
  // Until the first release there is nobody to answer.
  const from = before ? (switched === null ? null : new Date(switched.at)) : new Date(began);
  const traffic = from === null ? { measured: false as const, why: "nothing was released before" } : await trafficBetween(stack, from, facts.endedAt, facts.startedAt);
  const built = buildReceipt(masked ? facts : withoutText(facts), { traffic, manifestOf: manifests(paths) });
  const receipt = receiptSchema.parse(redacted(built, (text) => run.terminal.redact(text)));
  return storeReceipt(paths, receipt).json;
}

/** Every text of it. */
function redacted(receipt: Receipt, redact: (text: string) => string): unknown {
  return JSON.parse(JSON.stringify(receipt), (_key, value: unknown) => (typeof value === "string" ? redact(value) : value));
}

/** A run that was stopped before it knew them. @returns whether secrets can be masked */
async function secretsAreKnown(run: Leaving): Promise<boolean> {
  try {
    await run.protectSecrets();
    return true;
  } catch {
    return false;
  }
}

/** What others said may hold a secret that nobody can tell. */
function withoutText({ outcome, ...facts }: RunFacts): RunFacts {
  const left = "left out, as the stack's secrets could not be read and so not be masked";
  return { ...facts, outcome: { ...outcome, summary: left, lines: [] }, logTail: [], events: facts.events.map(({ data, ...event }) => ({ ...event, message: event.message === "" ? "" : left, ...(event.event === "failed" ? {} : { data }) })) };
}

function receiptCommand(command: string): ReceiptCommand | null {
  return command === "deploy" || command === "rollback" || command === "restore" ? command : null;
}

const RUN_ID = /-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-[0-9a-f]+$/;

/** Null: it was not killed, or did not come so far. */
function factsOfKilled({ ws }: Leaving, { run, command, exitCode }: LastRun): RunFacts | null {
  const known = receiptCommand(command);
  const [, year, month, day, hour, minute, second] = RUN_ID.exec(run) ?? [];
  if (exitCode !== null || known === null || second === undefined) return null;
  const events = readRun(ws.paths, run);
  const last = events.at(-1);
  if (last === undefined || !deservesReceipt(events, null)) return null;
  const log = path.join(ws.paths.logs, `${command}-${year}${month}${day}-${hour}${minute}${second}.log`);
  return {
    run, stack: ws.stack, command: known, by: "", rehearsal: false, events,
    startedAt: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`), endedAt: new Date(last.time),
    outcome: { exitCode: null, words: "KILLED", summary: "its process ended before it was done, as one does that is killed or whose machine goes down", next: "none: the command after it put right what it left", lines: [] },
    log: existsSync(log) ? path.relative(ws.paths.dataDir, log) : "", logTail: lastLines(log, LOG_LINES),
  };
}
