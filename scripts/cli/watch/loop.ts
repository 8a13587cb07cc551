import type { Slot } from "../../../components/metrics/kept.js";
import { trafficInWords } from "../../../components/metrics/traffic.js";
import { EXIT, messageOf } from "../../../components/runtime/errors.js";
import { formatDuration } from "../../../components/settings/units.js";
import { type Finding, judge, trafficOf, type WatchRules } from "../../../components/watch/judge.js";
import { shifted, type WatchState, withMet } from "../../../components/watch/state.js";
import type { Outcome } from "../outcome.js";
import type { WatchCause } from "../rollback.js";

/** What one look has seen. */
export interface Seen {
  /** Null: nothing serves. */
  serving: { revision: string; tag: string } | null;
  /** All that is kept, oldest first. */
  slots: readonly Slot[];
  /** Of the app's log, masked; "" for none since the last look. */
  lastError: string;
}

/** Everything that a watch does to the outside, so that an hour takes no time in tests. */
export interface WatchWorld {
  /** Milliseconds since 1970; and milliseconds that are never set back. */
  now(): number;
  monotonic(): number;
  /** Returns early when the watch is to stop. */
  sleep(ms: number): Promise<void>;
  /** Asked to stop: by a signal. */
  stopped(): boolean;
  /** Another watch of the stack has been begun since. */
  replaced(state: WatchState): boolean;
  /** @param clockSetBy milliseconds by which the wall clock was set since the last look */
  look(state: WatchState, clockSetBy: number): Promise<Seen>;
  /** Not over another watch's. */
  save(state: WatchState): void;
  /** Shows how it stands. */
  show(state: WatchState, seen: Seen): void;
  /** One line, for the terminal and the log. */
  say(line: string): void;
  /** Writes a rule that is met into the journal, and tells others. */
  tell(state: WatchState, finding: Finding, consequence: string): void;
  freeze(state: WatchState, finding: Finding): void;
  /** Who holds the stack's lock, in words; "" when nobody does. */
  busy(): string;
  rollback(cause: WatchCause): Promise<Outcome>;
}

/** More than this many milliseconds between two clocks are no drift: one of them was set. */
const CLOCK_SET_MS = 30_000;

/** Watches until the time is over, a rule has been answered with a rollback, another release serves, or it is stopped. */
export async function runWatch(world: WatchWorld, rules: WatchRules, begun: WatchState): Promise<{ state: WatchState; outcome: Outcome }> {
  let state = begun;
  let clock = { wall: world.now(), monotonic: world.monotonic() };
  let seen: Seen;
  let said = "";
  const sayOnce = (line: string): void => {
    if (line !== said && line !== "") world.say(line);
    said = line;
  };
  const end = (how: "ended" | "interrupted", outcome: Outcome): { state: WatchState; outcome: Outcome } => {
    state = { ...state, state: how, ending: outcome.summary, exitCode: outcome.exitCode };
    world.save(state);
    return { state, outcome };
  };
  // The wall clock, as it would be had nobody set it since the last look began.
  const now = (): number => clock.wall + world.monotonic() - clock.monotonic;
  for (;;) {
    if (world.stopped()) return end("interrupted", interrupted(state, now()));
    if (world.replaced(state)) return end("ended", { exitCode: EXIT.done, summary: `another watch goes on in the place of this one of ${state.target.tag}`, next: "" });
    const began = world.monotonic();
    const jump = world.now() - clock.wall - (began - clock.monotonic);
    const clockSetBy = Math.abs(jump) > CLOCK_SET_MS ? jump : 0;
    clock = { wall: world.now(), monotonic: began };
    state = shifted(state, clockSetBy);
    try {
      seen = await world.look(state, clockSetBy);
      sayOnce("");
    } catch (error) {
      sayOnce(`the watch cannot look: ${messageOf(error)}; it tries again`);
      if (now() >= state.endsAt) return end("ended", unseen(state));
      await world.sleep(Math.max(0, rules.interval - (world.monotonic() - began)));
      continue;
    }
    if (seen.serving?.revision !== state.target.revision) return end("ended", superseded(state, seen));
    const met = findingsOf(rules, state, seen);
    const step = withMet(state, met, new Date(now()).toISOString());
    state = step.state;
    for (const finding of step.fresh) answer(world, state, finding);
    world.show(state, seen);
    const grave = met.find(({ action }) => action === "rollback");
    if (grave !== undefined) {
      let holder = world.busy();
      if (holder === "") {
        const outcome = await rollBack(world, state, grave, now() - rules[grave.rule].within);
        if (outcome !== null) return end(outcome.exitCode === EXIT.interrupted ? "interrupted" : "ended", outcome);
        holder = "another release was quicker";
      }
      sayOnce(`${state.target.tag} is to be rolled back (${grave.what}), but ${holder}; looking again`);
    }
    world.save(state);
    // A rollback that is due and has to wait is not given up for the time being over.
    if (now() >= state.endsAt && grave === undefined) return end("ended", over(state, seen));
    await world.sleep(Math.max(0, rules.interval - (world.monotonic() - began)));
  }
}

function findingsOf(rules: WatchRules, { target, startedAt }: WatchState, { slots }: Seen): Finding[] {
  const own = slots.filter(({ from }) => from >= startedAt);
  return judge(rules, { slots: own, revision: target.revision, now: own.at(-1)?.to ?? startedAt });
}

function answer(world: WatchWorld, state: WatchState, finding: Finding): void {
  const { action, what } = finding;
  const { tag } = state.target;
  const consequence = { rollback: "rolling back", freeze: "no further release until scripts/watch.sh --thaw", alert: "look at it" }[action];
  world.say(`${action === "rollback" ? "!!" : "!"} ${tag}: ${what}; ${consequence}`);
  world.tell(state, finding, consequence);
  if (action === "freeze") world.freeze(state, finding);
}

/**
 * @param since milliseconds since 1970: from when on it was looked at what is the matter
 * @returns null when another run had the lock, or had moved users already: what is to be done then, the next look tells
 */
async function rollBack(world: WatchWorld, { target, startedAt }: WatchState, { rule, what }: Finding, since: number): Promise<Outcome | null> {
  const ended = await world.rollback({ revision: target.revision, tag: target.tag, rule, what, since: new Date(Math.max(startedAt, since)).toISOString() });
  if (ended.exitCode === EXIT.busy) return null;
  if (ended.exitCode === EXIT.interrupted) return { ...ended, summary: `the rollback that the watch's rule ${rule} began (${what}) was interrupted: ${ended.summary}` };
  const why = `${target.tag} was rolled back by the watch's rule ${rule}: ${what}`;
  if (ended.exitCode === EXIT.done || ended.exitCode === EXIT.unverified) return { exitCode: EXIT.rolledBack, summary: `${why}; ${ended.summary}`, next: ended.next };
  return { exitCode: EXIT.notRolledBack, summary: `the watch's rule ${rule} was met (${what}), and ${target.tag} could not be rolled back: ${ended.summary}`, next: ended.next };
}

function interrupted({ target, endsAt }: WatchState, now: number): Outcome {
  const left = Math.max(0, Math.ceil((endsAt - now) / 1000)) * 1000;
  return { exitCode: EXIT.interrupted, summary: `the watch of ${target.tag}, which serves, has ${formatDuration(left)} left`, next: "scripts/watch.sh goes on with it" };
}

function superseded({ target }: WatchState, { serving }: Seen): Outcome {
  const now = serving === null ? "nothing serves" : `${serving.tag} (${serving.revision}) serves`;
  return { exitCode: EXIT.done, summary: `the watch of ${target.tag} ended, as ${now} now`, next: "" };
}

function unseen({ target }: WatchState): Outcome {
  return { exitCode: EXIT.unverified, summary: `the watch of ${target.tag} ended without a last look`, next: "see scripts/status.sh" };
}

function over(state: WatchState, { slots }: Seen): Outcome {
  const { target, startedAt, endsAt, met, history } = state;
  const traffic = trafficInWords(trafficOf(slots.filter(({ from }) => from >= startedAt), target.revision), endsAt - startedAt);
  const watched = `${target.tag} was watched for ${formatDuration(Math.round((endsAt - startedAt) / 1000) * 1000)}: ${traffic}`;
  if (met.length > 0) return { exitCode: EXIT.unverified, summary: `${watched}, but ${met.map(({ what }) => what).join("; ")}`, next: "see scripts/status.sh; scripts/rollback.sh goes back" };
  return { exitCode: EXIT.done, summary: `${watched}${history.length === 0 ? ", and no rule was met" : `, ${history.length} warnings, all over now`}`, next: "" };
}
