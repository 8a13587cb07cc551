/** What alerts on a stack's operation need: its releases, backups, watch, freeze and lock, beside what users get. */
import type { Gauge } from "prom-client";

/** Times are seconds since 1970; null: there was none, and the series is left out. */
export interface Operations {
  /** When what serves began to. */
  servingSince: number | null;
  backups: {
    count: number;
    /** Those that cannot be relied on. */
    unusable: number;
    /** When the newest one that was proven was taken, and its size in bytes. */
    proven: { at: number; bytes: number } | null;
  };
  /** The last command that changed the stack; exit code null: it runs, or was killed. */
  lastRun: { command: string; exitCode: number | null; endedAt: number | null } | null;
  frozen: boolean;
  /** A command that changes the stack is under way. */
  locked: boolean;
  watching: boolean;
  /** Names of the watch's rules that are met. */
  met: readonly string[];
}

type MakeGauge = <L extends string>(name: string, help: string, labelNames: L[]) => Gauge<"stack" | L>;

/** Registers them. @param gauge makes one with the label `stack` and the named ones */
export function registerOperations(gauge: MakeGauge, stack: string, now: Operations): void {
  const one = (name: string, help: string, value: number | null): void => {
    if (value !== null) gauge(name, help, []).set({ stack }, value);
  };
  one("pbjrag_release_serving_since_timestamp_seconds", "When what serves began to.", now.servingSince);
  one("pbjrag_backups", "Finished backups on this machine.", now.backups.count);
  one("pbjrag_backups_unusable", "Backups that are damaged, or whose origin is not known.", now.backups.unusable);
  one("pbjrag_backup_last_proven_timestamp_seconds", "When the newest proven backup was taken.", now.backups.proven?.at ?? null);
  one("pbjrag_backup_last_proven_bytes", "Its size.", now.backups.proven?.bytes ?? null);
  if (now.lastRun !== null) {
    const { command, exitCode, endedAt } = now.lastRun;
    if (exitCode !== null) gauge("pbjrag_last_run_exit_code", "How the last command that changed the stack ended.", ["command"]).set({ stack, command }, exitCode);
    if (endedAt !== null) gauge("pbjrag_last_run_ended_timestamp_seconds", "When it ended.", ["command"]).set({ stack, command }, endedAt);
  }
  one("pbjrag_frozen", "1 while no release is made, as the watch has frozen them.", Number(now.frozen));
  one("pbjrag_locked", "1 while a command that changes the stack is under way.", Number(now.locked));
  one("pbjrag_watch_running", "1 while the release that serves is watched.", Number(now.watching));
  const met = gauge("pbjrag_watch_rule_met", "1 for each rule of the watch that is met.", ["rule"]);
  for (const rule of now.met) met.set({ stack, rule }, 1);
}
