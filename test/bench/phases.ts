import type { JournalEvent } from "../../components/runtime/journal.js";

/** Milliseconds by phase, in the order in which they began. */
export type Phases = Record<string, number>;

const NAMES: Record<string, string> = { backup: "backup", image: "image", front: "front door", start: "containers", gate: "gate", route: "route" };

/**
 * Where a command's time went, as its journal tells: what comes before the first phase (lock, state, preview, the engine's start), each phase,
 * and what comes after the last (deletions, ledger, a look at what serves). Phases of the update alone; pure.
 *
 * @param from Unix milliseconds at which the command began; `to`: at which it ended
 */
export function phasesOf(events: readonly JournalEvent[], from: number, to: number): Phases {
  const phases: Phases = {};
  const begun = new Map<string, number>();
  let first = to;
  let last = from;
  for (const { phase, event, time } of events) {
    const name = NAMES[phase];
    const at = Date.parse(time);
    if (name === undefined) continue;
    if (event === "start" && !begun.has(phase)) {
      begun.set(phase, at);
      first = Math.min(first, at);
    }
    const since = begun.get(phase);
    if (event !== "done" || since === undefined) continue;
    begun.delete(phase);
    phases[name] = (phases[name] ?? 0) + at - since;
    last = Math.max(last, at);
  }
  return { "lock, state, preview": first - from, ...phases, "clean-up, ledger, check": to - last };
}
