/** How long each step of a run took, from its journal. Pure. */
import type { JournalEvent } from "../runtime/journal.js";
import type { Receipt, Span } from "./model.js";

/** In the order in which they come. What is not here has its phase's own name. */
const LABELS: Readonly<Record<string, string>> = {
  warm: "Moving users to the warm release",
  recover: "Looking at what is there",
  preview: "Preview",
  question: "Waiting for an answer",
  adopt: "Taking over from another install",
  backup: "Backup and its proof",
  send: "Sending the backup",
  restore: "Restoring data",
  image: "Image",
  front: "Front door",
  start: "Starting containers",
  gate: "Gate",
  route: "Route and sessions",
  judge: "Judging the canary",
  update: "Pulumi itself",
  reapply: "Putting the former release back",
  verify: "Looking at what serves",
  prune: "Removing what is old",
  other: "Everything else",
};

export const labelOf = (phase: string): string => LABELS[phase] ?? phase;

interface Open {
  phase: string;
  start: number;
}

/**
 * @param began milliseconds since 1970 of the run's begin
 * @param ended the same of its end
 * @returns in the order of their begin; seconds since the run's
 */
export function spansOf(events: readonly JournalEvent[], began: number, ended: number): Span[] {
  const at = (time: string): number => seconds(Math.min(Math.max(Date.parse(time), began), ended) - began);
  const open: Open[] = [];
  const spans: Span[] = [];
  const close = (phase: string, end: number, state: Span["state"]): void => {
    const index = open.findIndex((one) => one.phase === phase);
    const [one] = index < 0 ? [] : open.splice(index, 1);
    if (one !== undefined) spans.push({ phase, label: labelOf(phase), start: one.start, end: Math.max(one.start, end), state });
  };
  for (const { phase, event, time } of events) {
    if (event === "start") {
      // A handler that was killed wrote no end, and its successor begins anew.
      close(phase, at(time), "open");
      open.push({ phase, start: at(time) });
    } else if (event === "done" || event === "failed") {
      close(phase, at(time), event);
    }
  }
  for (const { phase } of [...open]) close(phase, seconds(ended - began), "open");
  return spans.sort((a, b) => a.start - b.start || b.end - a.end);
}

/** Each moment counts for the step that began last of those under way; what belongs to none is `other`. */
export function costsOf(spans: readonly Span[], total: number): Receipt["costs"] {
  const edges = [...new Set([0, total, ...spans.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const sums = new Map<string, number>();
  edges.slice(1).forEach((end, index) => {
    const start = edges[index] ?? 0;
    const innermost = spans.findLast((span) => span.start <= start && span.end >= end);
    const phase = innermost?.phase ?? "other";
    sums.set(phase, (sums.get(phase) ?? 0) + end - start);
  });
  const order = Object.keys(LABELS);
  return [...sums]
    .map(([phase, sum]) => ({ phase, label: labelOf(phase), seconds: rounded(sum) }))
    .filter((cost) => cost.seconds > 0)
    .sort((a, b) => order.indexOf(a.phase) - order.indexOf(b.phase));
}

/** Of milliseconds, to the millisecond. */
export const seconds = (ms: number): number => rounded(ms / 1000);

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
