/** What one line of Pulumi's plain output says. Pure; for what an operator sees, never for exit codes. */

export type EngineLine =
  /** One resource's step: `create` in a preview; `creating`, `created`, `creating failed` in an update. */
  | { kind: "step"; mark: string; type: string; name: string; words: string; seconds: string; detail: string }
  /** What a resource, or the program (as the stack), has to say. */
  | { kind: "message"; name: string; severity: "error" | "warning" | "info"; text: string }
  /** `Diagnostics:`, `Resources:`, `Duration: 3s`, `Updating (dev):`; `rest` is what follows the colon. */
  | { kind: "heading"; title: string; rest: string }
  | { kind: "text"; text: string }
  /** Nothing to read: an empty line, or the dots with which Pulumi shows that it lives. */
  | { kind: "none" };

const STEP = /^ ?(\+-|\+\+|--|[-+~> ]) {1,2}(\S+:\S+:\S+) (\S+) (.+)$/;
/** `creating (0.63s) Step 1/13`, `**creating failed** error: …`, `update [diff: ~table]` */
const WORDS = /^(?:\*\*([a-z ]+)\*\*|([a-z ]+?))(?: \(([\d.]+)s\))?(?: ?((?:\[|(?<=\) )|(?<=\*\* )).*))?$/;
/** What the real CLI sums up at the end of a step: all of it was shown when it came, or comes under the diagnostics. */
const SUM = /^(?:\d+ (?:errors?|warnings?|messages?)(?:; )?)+$/;
const VERB = /^(?:creat|updat|delet|replac|read|refresh|discard)/;
const HEADING = /^(Previewing|Updating|Destroying|Refreshing|Diagnostics|Outputs|Resources|Duration)(?: [a-z]+)?(?: \([^)]*\))?:(.*)$/;

export function parseEngineLine(raw: string): EngineLine {
  const line = plain(raw).trimEnd();
  if (line === "" || line.startsWith("@ ")) return { kind: "none" };
  const [, title, after = ""] = HEADING.exec(line) ?? [];
  if (title !== undefined) return { kind: "heading", title, rest: after.trim() };
  const [, mark = "", type = "", name = "", rest = ""] = STEP.exec(line) ?? [];
  if (rest.startsWith("running ")) return { kind: "message", name, ...severityOf(rest.slice("running ".length)) };
  if (SUM.test(rest.trim())) return { kind: "none" };
  const [, failed, done, seconds = "", more = ""] = WORDS.exec(rest) ?? [];
  const detail = SUM.test(more) ? "" : more;
  const words = failed ?? done ?? "";
  return VERB.test(words) ? { kind: "step", mark: mark.trim(), type, name, words, seconds, detail } : { kind: "text", text: line };
}

/** Pulumi writes the severity before the text, but for an information. */
export function severityOf(text: string): { severity: "error" | "warning" | "info"; text: string } {
  const [, severity, rest = ""] = /^(error|warning): ?(.*)$/s.exec(text.trim()) ?? [];
  return severity === "error" || severity === "warning" ? { severity, text: rest } : { severity: "info", text: text.trim() };
}

const CONTROL = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]|[\\u0000-\\u0008\\u000b-\\u001f\\u007f]`, "g");

/** Without colours and other control characters: builds bring theirs along. */
export function plain(text: string): string {
  return text.replace(CONTROL, "");
}
