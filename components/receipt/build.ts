/** A run's receipt from its journal and what else is known of it. Pure. */
import { planEventSchema, type PlanEvent } from "../release/plan-event.js";
import { PHASES, type JournalEvent } from "../runtime/journal.js";
import { canaryOf } from "./canary.js";
import type { Incident, Receipt, ReceiptCommand } from "./model.js";
import { backupOf, firstLine, gatesOf, lastOf, number, pausesOf, type ReadManifest, restoredOf, sessionsOf, type TagOf, text } from "./parts.js";
import { costsOf, labelOf, seconds, spansOf } from "./spans.js";
import type { Traffic } from "./traffic.js";

export interface RunFacts {
  run: string;
  stack: string;
  command: ReceiptCommand;
  by: string;
  rehearsal: boolean;
  startedAt: Date;
  endedAt: Date;
  outcome: Receipt["outcome"];
  /** Of this run, in their order. */
  events: readonly JournalEvent[];
  /** Below dataDir; "" where it is not known. */
  log: string;
  /** Its last lines. */
  logTail: readonly string[];
}

/** What is to be found out for a receipt, once it is known what happened. */
export interface Sources {
  traffic: Traffic;
  /** Null: it cannot be read. */
  manifestOf: (backup: string) => ReadManifest | null;
}

const STEPS: readonly string[] = [...PHASES, "adopt", "warm"];

/** Whether a run came so far that it gets a receipt: it began to change something, or it failed badly. */
export function deservesReceipt(events: readonly JournalEvent[], exitCode: number | null): boolean {
  return exitCode === 3 || exitCode === 4 || events.some(({ phase, event }) => event === "start" && STEPS.includes(phase));
}

/** What the run did itself, without putting back what served before. */
export function ownEvents(events: readonly JournalEvent[]): readonly JournalEvent[] {
  const back = events.findIndex(({ phase, event }) => phase === "reapply" && event === "start");
  return back < 0 ? events : events.slice(0, back);
}

/** When new users were sent to the release; null: never. */
export function switchOf(events: readonly JournalEvent[], began: Date): Receipt["switched"] {
  const own = ownEvents(events);
  const warm = own.find(({ phase, event }) => phase === "warm" && event === "done");
  // Declaring a canary moves nobody.
  const moved = warm ?? own.find(({ phase, event, data }) => phase === "route" && event === "progress" && data?.["changed"] === true && text(data, "beside") === "");
  const at = text(moved?.data, "switchedAt");
  return at === "" ? null : { at, after: seconds(Math.max(0, Date.parse(at) - began.getTime())), warm: warm !== undefined };
}

export function buildReceipt(facts: RunFacts, { traffic, manifestOf }: Sources): Receipt {
  const { events, startedAt, endedAt } = facts;
  const own = ownEvents(events);
  const [began, ended] = [startedAt.getTime(), Math.max(startedAt.getTime(), endedAt.getTime())];
  const plan = planOf(own);
  const { tag, revision, from } = subjectOf(plan, own);
  const tagOf = tagsOf({ tag, revision, from });
  const switched = switchOf(events, startedAt);
  const timeline = spansOf(events, began, ended);
  const total = seconds(ended - began);
  const receipt: Receipt = {
    schema: 2,
    run: facts.run, stack: facts.stack, command: facts.command, by: facts.by, rehearsal: facts.rehearsal,
    tag, revision, from,
    seq: lastOf(own, "update", "done") === undefined || plan?.canary ? null : number(lastOf(own, "route", "start")?.data, "seq"),
    startedAt: startedAt.toISOString(), endedAt: new Date(ended).toISOString(), seconds: total,
    outcome: facts.outcome,
    switched,
    notices: plan?.notices ?? [],
    timeline,
    costs: costsOf(timeline, total),
    gates: gatesOf(own, began, tagOf),
    traffic: named(traffic, tagOf),
    sessions: sessionsOf(own, switched !== null, tagOf),
    pauses: pausesOf(events),
    backup: backupOf(own, manifestOf),
    restored: restoredOf(own),
    canary: canaryOf(own, began, tagOf),
    watch: null,
    incident: null,
    log: facts.log,
  };
  return { ...receipt, incident: needsIncident(receipt) ? incidentOf(receipt, own, facts) : null };
}

function planOf(events: readonly JournalEvent[]): PlanEvent | null {
  return planEventSchema.safeParse(lastOf(events, "plan", "info")?.data).data ?? null;
}

/** A warm rollback that was killed early knows no plan yet, but where it was going. */
function subjectOf(plan: PlanEvent | null, events: readonly JournalEvent[]): Pick<Receipt, "tag" | "revision" | "from"> {
  if (plan !== null) {
    const { tag, revision, presentTag, presentRevision, canary } = plan;
    // It was tried, and not released.
    if (canary !== null) return { tag: canary.tag, revision: canary.revision, from: { tag, revision } };
    return { tag, revision, from: presentTag === null || presentRevision === null ? null : { tag: presentTag, revision: presentRevision } };
  }
  const warm = events.find(({ phase, event }) => phase === "warm" && event === "start");
  return { tag: text(warm?.data, "tag"), revision: text(warm?.data, "revision"), from: null };
}

/** Names revisions by their tags: those of the receipt exactly, others by what they begin with. */
export function tagsOf({ tag, revision, from }: Pick<Receipt, "tag" | "revision" | "from">): TagOf {
  return (one) => (one === revision ? tag : one === from?.revision ? from.tag : one.replace(/-[0-9a-f]{8}$/, ""));
}

export function named(traffic: Traffic, tagOf: TagOf): Traffic {
  return traffic.measured ? { ...traffic, byRevision: traffic.byRevision.map((one) => ({ ...one, tag: tagOf(one.revision) })) } : traffic;
}

/** Whatever did not go well, and every rollback but a rehearsed one. That a backup is on this machine alone is none. */
function needsIncident(receipt: Receipt): boolean {
  const { command, rehearsal, outcome: { exitCode }, backup } = receipt;
  if (isTried(receipt)) return false;
  if (exitCode === 5) return backup?.sent?.done !== false;
  return exitCode !== 0 || (command === "rollback" && !rehearsal);
}

/** A canary that keeps its share: it was neither released nor given up. */
export function isTried({ canary, switched, outcome: { exitCode } }: Pick<Receipt, "canary" | "switched" | "outcome">): boolean {
  return canary !== null && switched === null && exitCode === 5;
}

function incidentOf(receipt: Receipt, own: readonly JournalEvent[], { logTail }: RunFacts): Incident {
  const { outcome, switched, tag, timeline } = receipt;
  // A rollback that went well may have found the warm way closed.
  const failed = outcome.exitCode === 0 ? undefined : own.findLast(({ event, message }) => event === "failed" && message !== "");
  const watch = watchOf(own);
  const cause = failed !== undefined ? causeIn(failed) : watch !== null ? watch.words : outcome.exitCode === 0 ? "" : outcome.summary;
  const began = Date.parse(receipt.startedAt);
  const put = timeline.find(({ phase }) => phase === "reapply");
  const times = [
    ...(watch === null ? [] : [{ at: watch.since, words: watch.words }]),
    { at: receipt.startedAt, words: `${receipt.command} began` },
    ...(switched === null ? [] : [{ at: switched.at, words: `new users were sent to ${tag}` }]),
    ...(failed === undefined ? [] : [{ at: failed.time, words: `${labelOf(failed.phase)} failed` }]),
    ...(put === undefined || put.state !== "done" ? [] : [{ at: new Date(began + put.end * 1000).toISOString(), words: "the former release was put back and looked at" }]),
    { at: receipt.endedAt, words: `the run ended: ${outcome.words}` },
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return { cause, phase: failed?.phase ?? "", times, evidence: [...outcome.lines], log: [...logTail] };
}

/** Why a watch went back, and from when on that was so; null: a person did. */
export function watchOf(events: readonly JournalEvent[]): { words: string; since: string } | null {
  const event = lastOf(events, "watch", "info");
  const since = text(event?.data, "since");
  return event === undefined || since === "" ? null : { words: event.message, since };
}

function causeIn({ message, data }: JournalEvent): string {
  const [what, why] = [text(data, "what"), text(data, "why")];
  return what === "" || why === "" ? firstLine(message) : `${what}: ${why}`;
}
