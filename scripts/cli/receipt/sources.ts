/** What a receipt needs to know besides the journal. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import path from "node:path";
import { manifestIn } from "../../../components/backup/manifest-file.js";
import type { ReadManifest } from "../../../components/receipt/parts.js";
import { seconds } from "../../../components/receipt/spans.js";
import type { Traffic } from "../../../components/receipt/traffic.js";
import type { DataPaths } from "../../../components/runtime/paths.js";
import { answeredBetween, type AnsweredCount } from "../../../components/metrics/answered.js";
import { inWords } from "../../../components/traffic/live.js";

/** Reads manifests of this stack's backups. */
export function manifests({ backups }: Pick<DataPaths, "backups">): (name: string) => ReadManifest | null {
  return (name) => {
    try {
      const { manifest, sha256 } = manifestIn(path.join(backups, name));
      return { manifest, sha256 };
    } catch {
      return null;
    }
  };
}

/** What users were answered. @param began of the run: steps count from there */
export async function trafficBetween(stack: string, from: Date, to: Date, began: Date): Promise<Traffic> {
  try {
    const count = await answeredBetween(stack, from.getTime(), to.getTime());
    return count === null ? { measured: false, why: "there is no proxy" } : asTraffic(count, began.getTime());
  } catch (error) {
    return { measured: false, why: `the proxy's log could not be read: ${inWords(error)}` };
  }
}

/** Pure. */
export function asTraffic(count: AnsweredCount, began: number): Traffic {
  const { from, to, requests, failed, refused, gap, byRevision, stepMs, steps } = count;
  return {
    measured: true,
    from: new Date(from).toISOString(), to: new Date(to).toISOString(),
    requests, failed, refused,
    gap: gap === null ? null : { seconds: seconds(gap.ms), at: new Date(gap.at).toISOString() },
    byRevision: Object.entries(byRevision).map(([revision, sums]) => ({ revision, tag: "", ...sums })),
    step: seconds(stepMs),
    steps: steps.map(({ at, ...sums }) => ({ at: seconds(at - began), ...sums })),
  };
}

/** A copy with every text of it masked. */
export function redacted(value: object, redact: (text: string) => string): unknown {
  return JSON.parse(JSON.stringify(value), (_key, one: unknown) => (typeof one === "string" ? redact(one) : one));
}

/** Bytes at the end of a log in which its last lines are looked for. */
const TAIL_BYTES = 64 * 1024;

/** The last lines of a file; none where it cannot be read. */
export function lastLines(file: string, lines: number): string[] {
  try {
    const fd = openSync(file, "r");
    try {
      const { size } = fstatSync(fd);
      const tail = Buffer.alloc(Math.min(size, TAIL_BYTES));
      const read = readSync(fd, tail, 0, tail.length, size - tail.length);
      return tail.subarray(0, read).toString("utf8").split("\n").filter((line) => line !== "").slice(-lines);
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
}
