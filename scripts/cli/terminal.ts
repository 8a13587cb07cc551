import path from "node:path";
import { openReleaseLog, type ReleaseLog } from "../../components/runtime/log.js";
import { endLines, type Outcome } from "./outcome.js";
import type { Workspace } from "./workspace.js";

/** What the operator sees, and the same with times in the log file. Everything is masked on its way. */
export class Terminal {
  /** The log's path, relative to the project. */
  readonly shownPath: string;
  private readonly log: ReleaseLog;

  constructor(ws: Workspace, kind: string) {
    this.log = openReleaseLog(ws.paths, kind);
    this.shownPath = path.relative(ws.projectDir, this.log.file);
  }

  /** Masks these from now on. */
  protect(secrets: readonly string[]): void {
    this.log.protect(secrets);
  }

  /** One step of the command. */
  say(line: string): void {
    const time = new Date().toTimeString().slice(0, 8);
    process.stdout.write(`${time} ${this.log.redact(line)}\n`);
    this.log.write(line);
  }

  /** A line that handlers wrote into the journal. */
  progress(line: string | null): void {
    if (line !== null) this.say(line);
  }

  /** A line of Pulumi's own output. */
  engineLine(line: string): void {
    if (line.trim() === "") return;
    process.stdout.write(`         | ${this.log.redact(line)}\n`);
    this.log.write(line, "pulumi");
  }

  /** For the log alone. */
  detail(text: string): void {
    this.log.write(text);
  }

  /** Prints the evidence and the last line, and ends the log. */
  close(outcome: Outcome): void {
    for (const line of endLines(outcome)) {
      process.stdout.write(`${this.log.redact(line)}\n`);
      this.log.write(line);
    }
    this.log.close();
  }
}
