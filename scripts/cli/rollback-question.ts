import { defaultRollbackTarget, findReleases } from "../../components/release/ledger.js";
import type { ReleaseRecord } from "../../components/release/model.js";
import { RELEASE_KEYS, settingsDiff } from "../../components/settings/recorded.js";
import type { TrafficTable } from "../../components/traffic/model.js";
import { warmTarget } from "./warm-target.js";

export interface Known {
  stack: string;
  /** What was asked for; absent: the release before. */
  tag: string | undefined;
  /** Null: it cannot be seen. */
  table: TrafficTable | null;
  /** Empty where it cannot be read. */
  ledger: readonly ReleaseRecord[];
}

/** What a person agrees to: from where, to what, how, and what changes. Pure. */
export function rollbackQuestion({ stack, tag, table, ledger }: Known): string {
  const warm = table === null ? null : warmTarget(table, tag);
  const present = ledger.at(-1);
  const target = warm === null
    ? (tag === undefined ? defaultRollbackTarget([...ledger]) : findReleases([...ledger], tag).at(-1)) ?? null
    : ledger.findLast(({ revision }) => revision === warm.revision) ?? null;
  const from = table?.serving?.tag ?? present?.tag ?? "";
  const to = warm?.tag ?? target?.tag ?? tag ?? "the release before";
  const how = warm === null ? "started and gated first" : "warm, at once";
  const settings = present === undefined || target === null ? "" : settingsWords(present, target);
  return `Roll ${stack} back${from === "" ? "" : ` from ${from}`} to ${to} (${how}; data stays${settings})?`;
}

function settingsWords(present: ReleaseRecord, target: ReleaseRecord): string {
  const keys: readonly string[] = RELEASE_KEYS.filter((key) => key !== "version");
  const changed = settingsDiff(present.settings, target.settings).filter((line) => keys.includes(/^[^.:]+/.exec(line)?.[0] ?? ""));
  return changed.length === 0 ? "; settings stay" : changed.length === 1 ? `; ${changed[0] ?? ""}` : `; ${changed.length} settings go back`;
}
