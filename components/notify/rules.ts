/** What the notifiers' settings must be. Pure. */
import type { Settings } from "../settings/schema.js";
import { formatDuration } from "../settings/units.js";

export type NotifySettings = Settings["notify"];

/** One thing that is wrong: the key below `notify`, what, and what to do. Values are not shown: they may be secret. */
export type NotifyFault = readonly [key: string, what: string, next: string];

const ADDRESS = /^[^\s<>@,;"]+@[^\s<>@,;"]+$/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/;
const LEAST_MS = 100;
const MOST_MS = 60_000;

export function notifyFaults({ timeout, attempts, slackWebhook, email, command }: NotifySettings): NotifyFault[] {
  const faults: NotifyFault[] = [];
  if (timeout < LEAST_MS || timeout > MOST_MS) faults.push(["timeout", `${formatDuration(timeout)} is not between 100ms and 1m`, "give a time such as 10s"]);
  if (!Number.isInteger(attempts) || attempts < 1 || attempts > 10) faults.push(["attempts", `${attempts} is not between 1 and 10`, "give a whole number from 1 to 10"]);
  if (slackWebhook !== undefined && !isWebAddress(slackWebhook)) faults.push(["slackWebhook", "is no address of an incoming webhook", "give the one that Slack shows, https://hooks.slack.com/services/…"]);
  if (command !== undefined && !/^[^\0-\x1f]+$/.test(command)) faults.push(["command", "is no path of a file", "give the path of an executable file"]);
  return [...faults, ...emailFaults(email)];
}

function emailFaults({ host, port, user, password, from, to }: NotifySettings["email"]): NotifyFault[] {
  const faults: NotifyFault[] = [];
  if (!Number.isInteger(port) || port < 1 || port > 65_535) faults.push(["email.port", `${port} is not between 1 and 65535`, "give the mail server's port: 587 for STARTTLS, 465 for TLS"]);
  const needed = { host, from, to };
  const given = [...Object.values(needed), user, password].some((value) => value !== undefined);
  for (const [key, value] of Object.entries(needed)) {
    if (given && value === undefined) faults.push([`email.${key}`, "is missing: mail needs a host, a sender and somebody to send it to", "set it, or remove the other keys below notify.email"]);
  }
  if (host !== undefined && !HOST.test(host)) faults.push(["email.host", "is no name of a host", "give the mail server's name, such as smtp.example.org"]);
  if (from !== undefined && !ADDRESS.test(from)) faults.push(["email.from", "is no mail address", "give one such as releases@example.org"]);
  if (to !== undefined && !addressesIn(to).every((one) => ADDRESS.test(one))) faults.push(["email.to", "is no list of mail addresses", "give one, or several parted by commas"]);
  if ((user === undefined) !== (password === undefined)) faults.push([`email.${user === undefined ? "user" : "password"}`, "is missing: a mail server wants both or neither", "set both, or remove the other one"]);
  return faults;
}

/** The addresses of `notify.email.to`. */
export function addressesIn(to: string): string[] {
  return to.split(",").map((one) => one.trim());
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s/]+/.test(text) && URL.canParse(text);
}
