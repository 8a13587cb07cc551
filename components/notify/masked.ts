import { readable } from "../runtime/readable.js";
import type { Redactor } from "../runtime/redact.js";
import type { NotifyEvent } from "./model.js";

/** The event with its texts masked, and without what a terminal would obey. What programs go by (id, kind, time) is ours and holds no secret. */
export function masked(event: NotifyEvent, mask: Redactor): NotifyEvent {
  const redact = (text: string): string => readable(mask(text));
  const { tag, from, by, summary, next, lines, log } = event;
  return { ...event, tag: redact(tag), from: from === null ? null : redact(from), by: redact(by), summary: redact(summary), next: redact(next), lines: lines.map(redact), log: redact(log) };
}
