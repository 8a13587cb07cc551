/**
 * Errors in what a Python app logs, one for each failure however many lines it has. Pure. The forms are those of Python 3.11, and of
 * Streamlit 1.40.0 and 1.67.0, which head a failed run of the script with `Uncaught app exception` or `Uncaught app execution`; where
 * `rich` can be imported 1.67 writes the traceback in a coloured box instead, without that header, also into a pipe.
 */
import { stripVTControlCharacters } from "node:util";

export interface LoggedError {
  /** `exception`: it ends in the exception's own line; `line`: a line that says itself that it is an error. */
  kind: "exception" | "line";
  /** The exception's own line; for a chain the last one's, for a group the group's. */
  text: string;
  /** Index of that line among `plainLines`. */
  at: number;
}

/** `ModuleNotFoundError: No module named 'x'`: an exception's own line, known by its name alone. */
const NAMED = /^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|ExceptionGroup|Warning)(?:: .*)?$/;
/** A line of Python's `logging`, or of what looks like it. */
const GRAVE = /(?:^|[\s[])(?:ERROR|CRITICAL|FATAL)(?=$|[\s:\]-])/;
/** Streamlit's header of a failed run, whatever the log's format puts before it. */
const HEADER = /(?:^|\s)Uncaught app ex(?:ception|ecution)$/;
/** A traceback begins: plain, of an exception group, or in a box of rich. One within a group or a box is indented more. */
const TRACEBACK = /^(?:Traceback|  \+ Exception Group Traceback|[─╭]+ Traceback) \(most recent call last\)(?::$| [─╮]+$)/;
/** What joins the tracebacks of a chain. */
const CHAIN = /^(?:The above exception was the direct cause of the following exception|During handling of the above exception, another exception occurred):$/;
/** Of a traceback before the exception's own line: frames, a box's edges and content. */
const WITHIN = /^(?:\s|[│─╭╰]|$)/;
/** Of a group in plain form all is behind a bar, its own line after one bar and one blank. */
const GROUP_OWN_LINE = /^ {2}\| (?!\s|Traceback )(.*)$/;

/** A log's lines without escape codes and without blanks at their ends. */
export function plainLines(log: string): string[] {
  return stripVTControlCharacters(log).split(/\r?\n/).map((line) => line.trimEnd());
}

/** @param lines of `plainLines` */
export function loggedErrors(lines: readonly string[]): LoggedError[] {
  const found: LoggedError[] = [];
  /** Where the last error's lines ended: the next line. */
  let end = -1;
  let chained = false;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (TRACEBACK.test(line)) {
      const own = ownLine(lines, at);
      const error: LoggedError = { kind: "exception", text: own.text === "" ? line : own.text, at: own.at };
      // The same failure as the exception that it was raised from, or as the line of a log directly before it, which has no box then.
      const logged = end === at && found.at(-1)?.kind === "line" && !line.startsWith("─");
      if (chained || logged) found[found.length - 1] = error;
      else found.push(error);
      at = own.at;
    } else if (GRAVE.test(line) || HEADER.test(line)) {
      found.push({ kind: "line", text: line, at });
    } else if (NAMED.test(line)) {
      found.push({ kind: "exception", text: line, at });
    } else {
      chained = found.length > 0 && (CHAIN.test(line) || (chained && line === ""));
      continue;
    }
    chained = false;
    end = at + 1;
  }
  return found;
}

/** The exception's own line of the traceback that begins there; "" and the log's last line where it is cut off. */
function ownLine(lines: readonly string[], begin: number): { text: string; at: number } {
  const isGroup = (lines[begin] ?? "").startsWith("  + ");
  for (let at = begin + 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    const [, ofGroup] = isGroup ? (GROUP_OWN_LINE.exec(line) ?? []) : [];
    if (ofGroup !== undefined) return { text: ofGroup, at };
    if (!WITHIN.test(line)) return { text: line, at };
  }
  return { text: "", at: Math.max(begin, lines.length - 1) };
}
