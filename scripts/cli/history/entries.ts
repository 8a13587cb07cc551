/** What was released, from receipts and from the list of releases. Pure. */
import { badgeOf } from "../../../components/receipt/page/words.js";
import type { ReleaseRecord } from "../../../components/release/model.js";
import { ageWords, columns } from "../backups/words.js";
import type { Stored } from "../receipt/store.js";
import { localTime } from "../when.js";

/** One line of `history --json`. Absent things are null. */
export interface Entry {
  /** ISO 8601: when the run began; of a release without a receipt, when its users came. */
  time: string;
  command: "deploy" | "rollback" | "restore";
  tag: string;
  revision: string;
  /** Number in the list of releases; null where it was not recorded. */
  seq: number | null;
  /** In a word or two. */
  outcome: string;
  /** Of the command; null: it was killed, or there is no receipt. */
  exitCode: number | null;
  seconds: number | null;
  /** Requests; null where they were not measured. */
  failed: number | null;
  /** Whether it serves now. */
  serves: boolean;
  by: string;
  /** Absolute path of its data; its page is beside it. */
  receipt: string | null;
}

type Listed = Pick<ReleaseRecord, "seq" | "tag" | "revision" | "kind" | "outcome" | "switchedAt">;

/** Newest first. @param ledger oldest first; the last one serves */
export function entriesOf(stored: readonly Stored[], ledger: readonly Listed[]): Entry[] {
  const last = ledger.at(-1)?.seq;
  const known = new Map(ledger.map((record) => [record.seq, record]));
  const own = ({ receipt: { seq, revision } }: Stored): Listed | undefined => (seq !== null && known.get(seq)?.revision === revision ? known.get(seq) : undefined);
  const told = stored.map((one): Entry => {
    const { command, tag, revision, seq, startedAt, seconds, traffic, outcome, by } = one.receipt;
    return {
      time: startedAt, command, tag, revision, seq, exitCode: outcome.exitCode, seconds, failed: traffic.measured ? traffic.failed : null, by, receipt: one.json,
      outcome: `${badgeOf(one.receipt).words}${own(one)?.outcome === "abandoned" && one.receipt.watch?.exitCode !== 3 ? ", left since" : ""}`, serves: own(one) !== undefined && seq === last,
    };
  });
  const withReceipt = new Set(stored.map((one) => own(one)?.seq));
  const untold = ledger.filter(({ seq }) => !withReceipt.has(seq)).map(({ seq, tag, revision, kind, outcome, switchedAt }): Entry => ({
    time: switchedAt, command: kind, tag, revision, seq, exitCode: null, seconds: null, failed: null, by: "", receipt: null, outcome: `No receipt${outcome === "abandoned" ? ", left since" : ""}`, serves: seq === last,
  }));
  return [...told, ...untold].sort((a, b) => b.time.localeCompare(a.time));
}

/** For a person. @param shown a receipt's path, as it is to be read @param now milliseconds since 1970 */
export function linesOf(entries: readonly Entry[], shown: (receipt: string) => string, now: number): string[] {
  const rows = entries.map(({ time, command, tag, outcome, seconds, failed, serves, receipt }) => [
    `${serves ? "*" : " "} ${localTime(time)}`, ageWords(now - Date.parse(time)), command, tag === "" ? "-" : tag, outcome, seconds === null ? "-" : `${seconds.toFixed(1)} s`, failed === null ? "-" : String(failed), receipt === null ? "-" : shown(receipt),
  ]);
  return columns([["  began", "age", "command", "tag", "outcome", "took", "failed", "receipt"], ...rows]);
}

/** The newest that is called so: by its tag, its time stamp, or the name of its file. Undefined: none is. */
export function findReceipt(stored: readonly Stored[], which: string | undefined): Stored | undefined {
  const name = (json: string): string => (json.split("/").at(-1) ?? "").replace(/\.json$/, "");
  const wanted = which?.replace(/^.*\//, "").replace(/\.(?:json|html)$/, "");
  return stored.findLast(({ receipt, json }) => wanted === undefined || receipt.tag === which || name(json) === wanted || name(json).startsWith(`${wanted}-`));
}
