import path from "node:path";
import type { JournalEvent } from "../../components/runtime/journal.js";
import { openReleaseLog, type ReleaseLog } from "../../components/runtime/log.js";
import { endLines, type Outcome } from "./outcome.js";
import { print } from "./output.js";
import { Progress } from "./progress.js";
import type { Workspace } from "./workspace.js";

/** What the operator sees, and in the log file everything, with times. All of it is masked on its way. */
export class Terminal {
  /** The log's path, relative to the project. */
  readonly shownPath: string;
  /** Absolute. */
  readonly file: string;
  private readonly log: ReleaseLog;
  private readonly steps = new Progress(() => performance.now());
  private shownAt = performance.now();

  constructor(ws: Workspace, kind: string) {
    this.log = openReleaseLog(ws.paths, kind);
    this.file = this.log.file;
    this.shownPath = path.relative(ws.projectDir, this.log.file);
  }

  /** Masks these from now on. */
  protect(secrets: readonly string[]): void {
    this.log.protect(secrets);
  }

  redact(text: string): string {
    return this.log.redact(text);
  }

  /** One step of the command. */
  say(line: string): void {
    this.print(`${new Date().toTimeString().slice(0, 8)} ${line}`);
    this.log.write(line);
  }

  /** What handlers wrote into the journal. */
  progress(event: JournalEvent): void {
    const line = this.steps.line(event);
    if (line?.shown === true) this.say(line.text);
    else if (line !== null) this.log.write(line.text);
  }

  /** What an operator is to see of Pulumi's output. */
  engineLine(line: string): void {
    this.print(`         ${line}`);
  }

  /** For the log alone. @param from where it comes from, such as `pulumi` */
  detail(text: string, from = ""): void {
    this.log.write(text, from);
  }

  /** Milliseconds since something was shown. */
  quietMs(): number {
    return performance.now() - this.shownAt;
  }

  /** Prints the evidence and the last line, and ends the log. */
  close(outcome: Outcome): void {
    for (const line of endLines(outcome)) {
      this.print(line);
      this.log.write(line);
    }
    this.log.close();
  }

  private print(line: string): void {
    print([this.log.redact(line)]);
    this.shownAt = performance.now();
  }
}
