/** An event in words: for Slack, for mail, for the log. Pure. */
import type { NotifyEvent, NotifyKind } from "./model.js";

/** Characters of evidence that a message has at most: Slack takes 40,000 in all. */
const EVIDENCE = 6000;

type Words = (event: Pick<NotifyEvent, "command" | "tag" | "from">) => string;

const back = (command: string): boolean => command === "rollback";

const TITLES: Readonly<Record<NotifyKind, Words>> = {
  started: ({ command, tag, from }) => `${back(command) ? "going back to" : command === "restore" ? "restoring data under" : "releasing"} ${tag}${from === null || from === tag ? "" : `, ${from} serves`}`,
  gated: ({ tag }) => `${tag} passed the gate`,
  canary: ({ tag }) => `the canary ${tag} was judged`,
  succeeded: ({ command, tag }) => (command === "restore" ? `${tag} serves, on restored data` : `${tag} is released`),
  rolledBack: ({ command, tag, from }) => (back(command) ? `rolled back to ${tag}` : `${tag} failed and was undone, ${from ?? "nothing"} serves`),
  failed: ({ command, tag }) => (command === "restore" ? `the restore under ${tag} failed` : `${tag} was not released`),
  rollbackFailed: ({ command, tag }) => (back(command) ? `the rollback to ${tag} failed` : `${tag} failed, and could not be undone`),
  watch: ({ tag }) => `the watch of ${tag} raises an alarm`,
};

/** What a look at the list of messages should tell. */
const MARKS: Readonly<Record<NotifyKind, string>> = {
  started: ":arrow_forward:", gated: ":ballot_box_with_check:", canary: ":hatching_chick:", succeeded: ":white_check_mark:",
  rolledBack: ":leftwards_arrow_with_hook:", failed: ":x:", rollbackFailed: ":rotating_light:", watch: ":eyes:",
};

/** `prod: v3.0.0 is released`. One line. */
export function title(event: NotifyEvent): string {
  return oneLine(`${event.stack}: ${TITLES[event.kind](event)}`);
}

/** The rest, for a reader of plain text. */
export function plainText(event: NotifyEvent): string {
  const { lines } = event;
  return [title(event), "", ...facts(event), ...(lines.length === 0 ? [] : ["", ...evidence(lines).map((line) => `  | ${line}`)]), ""].join("\n");
}

/** What Slack's incoming webhook takes. Nothing in it is a mention or a link, whatever the texts hold. */
export function slackMessage(event: NotifyEvent): { text: string } {
  const { kind, lines } = event;
  const code = evidence(lines).join("\n").replaceAll("```", "'''");
  return { text: [`${MARKS[kind]} *${escaped(title(event))}*`, ...facts(event).map(escaped), ...(lines.length === 0 ? [] : [`\`\`\`${escaped(code)}\`\`\``])].join("\n") };
}

function facts({ summary, next, by, log, time }: NotifyEvent): string[] {
  return [...(summary === "" ? [] : [oneLine(summary)]), ...(next === "" ? [] : [`Next: ${oneLine(next)}`]), `${time}, by ${oneLine(by)}, log ${oneLine(log)}`];
}

/** The last lines, as many as fit: an exception stands at the end. */
function evidence(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let left = EVIDENCE;
  for (const line of lines.flatMap((text) => text.split("\n")).reverse()) {
    left -= line.length + 1;
    if (left < 0) return [kept.length === 0 ? line.slice(-EVIDENCE) : "…", ...kept];
    kept.unshift(line);
  }
  return kept;
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]\s*/g, " ");
}

/** Slack's three characters of control. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
