/** The receipt that a run leaves, written when all else is done. */
import { existsSync } from "node:fs";
import path from "node:path";
import { buildReceipt, deservesReceipt, type RunFacts } from "../../../components/receipt/build.js";
import { type ReceiptCommand, receiptSchema } from "../../../components/receipt/model.js";
import { answeredSince } from "../../../components/receipt/since.js";
import { withoutWaiting } from "../../../components/receipt/waiting.js";
import { messageOf } from "../../../components/runtime/errors.js";
import { readRun } from "../../../components/runtime/journal.js";
import type { LastRun } from "../last-run.js";
import { whoBegan } from "../notify/notices.js";
import { exitInWords, type Outcome } from "../outcome.js";
import type { Run, RunOptions } from "../run.js";
import { pageBeside, type Stored, storedReceipts, storeReceipt, writeMissingPages, writePage } from "./store.js";
import { lastLines, manifests, redacted, trafficBetween } from "./sources.js";
import { noteKilledWatch } from "./watched.js";

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
  const events = run.events();
  const known = receiptCommand(command);
  const own = known === null || !deservesReceipt(events, outcome.exitCode) ? null : await leave(run, ownFacts(run, { command: known, rehearsal, events }, outcome), masked);
  const problem = await makePages(run, own, masked);
  const shown = own === null ? "" : path.relative(run.ws.projectDir, own.json);
  if (problem !== "") run.say(`${shown === "" ? "a receipt" : `receipt ${shown}`}: its page could not be written: ${problem}`);
  else if (shown !== "") run.say(`receipt ${pageBeside(shown)}, as data .json`);
}

/** A page that cannot be written is said, and no more: the data has all that is on it. @returns why not, or "" */
async function makePages(run: Leaving, own: Stored | null, masked: boolean): Promise<string> {
  try {
    if (own !== null) await writePage(own);
    if (masked) await noteKilledWatch(run.ws, (text) => run.terminal.redact(text));
    await writeMissingPages(run.ws.paths);
    return "";
  } catch (error) {
    return messageOf(error);
  }
}

function ownFacts(run: Leaving, of: Pick<RunFacts, "command" | "rehearsal" | "events">, { exitCode, summary, next, lines = [] }: Outcome): RunFacts {
  return {
    ...of, run: run.id, stack: run.ws.stack, by: whoBegan(process.env), startedAt: run.startedAt, endedAt: new Date(),
    outcome: { exitCode, words: exitInWords(exitCode), summary, next, lines: [...lines] },
    log: path.relative(run.ws.paths.dataDir, run.terminal.file), logTail: lastLines(run.terminal.file, LOG_LINES),
  };
}

async function leave(run: Leaving, whole: RunFacts, masked: boolean): Promise<Stored> {
  const facts = withoutWaiting(whole);
  const { paths, stack } = run.ws;
  const from = answeredSince(facts.events, facts.startedAt);
  const traffic = from === null ? { measured: false as const, why: "nothing was released before" } : await trafficBetween(stack, from, facts.endedAt, facts.startedAt);
  const built = buildReceipt(masked ? facts : withoutText(facts), { traffic, manifestOf: manifests(paths) });
  const receipt = receiptSchema.parse(redacted(built, (text) => run.terminal.redact(text)));
  return storeReceipt(paths, receipt);
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
