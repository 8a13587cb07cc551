import { clearScreenDown, cursorTo, moveCursor } from "node:readline";
import { readable, readableLine } from "../../../components/runtime/readable.js";
import { printError } from "../output.js";
import { viewLine, viewLines, type WatchView } from "./view.js";

/** Milliseconds between two lines where there is no terminal that shows the same place again. */
const PLAIN_EVERY_MS = 60_000;

export type Form = "live" | "plain" | "json";

/** Where a watch is looked at: a block that is drawn over itself, a line each minute, or an object for each look. */
export class Screen {
  private drawn = 0;
  private plainAt = -Infinity;

  constructor(
    private readonly form: Form,
    private readonly now: () => number = () => performance.now(),
    private readonly out: NodeJS.WritableStream & { columns?: number } = process.stdout,
  ) {}

  show(view: WatchView): void {
    if (this.form === "json") {
      this.out.write(readable(`${JSON.stringify(view)}\n`));
    } else if (this.form === "live") {
      this.clear();
      const width = Math.max(20, this.out.columns ?? 80);
      const lines = viewLines(view).map((line) => readable(line).slice(0, width - 1));
      this.out.write(`${lines.join("\n")}\n`);
      this.drawn = lines.length;
    } else if (this.now() - this.plainAt >= PLAIN_EVERY_MS) {
      this.plainAt = this.now();
      this.out.write(`${new Date().toTimeString().slice(0, 8)} ${readableLine(viewLine(view))}\n`);
    }
  }

  /** Above the block; with JSON, that stays alone on standard output. */
  say(line: string): void {
    this.clear();
    const told = `${new Date().toTimeString().slice(0, 8)} ${readableLine(line)}\n`;
    if (this.form === "json") printError(told);
    else this.out.write(told);
  }

  /** What comes next begins where the block was. */
  clear(): void {
    if (this.drawn === 0) return;
    moveCursor(this.out, 0, -this.drawn);
    cursorTo(this.out, 0);
    clearScreenDown(this.out);
    this.drawn = 0;
  }
}

export function formOf(json: boolean): Form {
  return json ? "json" : process.stdout.isTTY ? "live" : "plain";
}
