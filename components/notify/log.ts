/** `logs/notifications.log`: what was sent to whom, and what was not, with all of its text. */
import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import path from "node:path";
import type { DataPaths } from "../runtime/paths.js";
import { readable } from "../runtime/readable.js";
import type { NotifyEvent } from "./model.js";
import { title } from "./words.js";

/** Bytes from which it is set aside as `notifications.log.1`; the one before that is dropped. */
const ROTATE_AT = 5 * 1024 * 1024;

export interface NotificationLog {
  /** Of one event on one channel. @param reason "": it was sent */
  tell(channel: string, event: NotifyEvent, reason: string): void;
}

/** @param mask for the reasons: what servers and libraries say may hold what they were given */
export function notificationLog({ logs, stack }: Pick<DataPaths, "logs" | "stack">, mask: (text: string) => string, now: () => Date = () => new Date()): NotificationLog {
  const file = path.join(logs, "notifications.log");
  return {
    tell: (channel, event, reason) => {
      mkdirSync(logs, { recursive: true, mode: 0o700 });
      if (existsSync(file) && statSync(file).size > ROTATE_AT) renameSync(file, `${file}.1`);
      const what = reason === "" ? `sent    ${channel}: ${title(event)}` : `UNSENT  ${channel}: ${oneLine(mask(reason))}: ${JSON.stringify(event)}`;
      appendFileSync(file, `${now().toISOString()} ${stack} ${readable(what)}\n`, { mode: 0o600 });
    },
  };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
