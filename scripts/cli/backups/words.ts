import type { BackupSummary } from "../../../components/backup/list.js";

/** `3 days`, `5 hours`, rounded down; for a time that has not come yet, that. Milliseconds. Pure. */
export function ageWords(ms: number): string {
  if (Number.isNaN(ms)) return "not known";
  if (ms < 0) return "in the future";
  for (const [unit, span] of [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]] as const) {
    const count = Math.floor(ms / span);
    if (count > 0) return countOf(count, unit);
  }
  return "under a minute";
}

export function ageOf({ created }: Pick<BackupSummary, "created">, now: number): number {
  return now - Date.parse(created);
}

/** `1 backup`, `2 backups`. Pure. */
export function countOf(count: number, what: string, several = `${what}s`): string {
  return `${count} ${count === 1 ? what : several}`;
}

/** Rows as columns, each as wide as its widest; the last one is left as it is. Pure. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) => row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0))).join("  ").trimEnd());
}
