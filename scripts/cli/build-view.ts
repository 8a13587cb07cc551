import type { NewEvent } from "../../components/runtime/journal.js";
import type { EngineLine } from "./engine-lines.js";

/** What an operator sees of one line, and what it tells the journal: phases that no handler of ours writes. */
export interface Seen {
  show: readonly string[];
  events: readonly NewEvent[];
}

export const NOTHING: Seen = { show: [], events: [] };

/** Milliseconds between two words about a build. */
const EVERY_MS = 2000;
/** Last lines of its output that explain a build that failed. */
const KEPT_LINES = 6;
/** `Step 7/13 : RUN pip install …`, as Docker's builder says it, and `#7 [4/9] RUN …`, as BuildKit does. */
const STEP = /^(?:Step (\d+)\/(\d+) : |#\d+ \[(?:\S+ )?(\d+)\/(\d+)\] )(.+)$/;
const NOISE = /^(?:---> |Removing intermediate container|Starting Docker build|#\d+ (?:DONE|CACHED|sha256:)|$)/;
const STEP_WIDTH = 80;

/** An image's build, of whose hundreds of lines the terminal shows the steps. */
export class BuildView {
  private name = "";
  private step = "";
  private shownAt = -Infinity;
  private lines: string[] = [];

  /** @param now milliseconds, never set back */
  constructor(private readonly now: () => number) {}

  take({ name, words, detail }: EngineLine & { kind: "step" }): Seen {
    if (/^(?:creating|updating|replacing)(?! failed)/.test(words)) return this.goesOn(name, detail.trim());
    if (this.name !== name || !/^(?:created|updated|replaced)/.test(words)) return NOTHING;
    this.name = "";
    return { show: [], events: [{ phase: "image", event: "done", message: `${name} is built` }] };
  }

  /** Its place in the build, for a word about what takes so long; "" for anything else. */
  stepOf(name: string): string {
    return name === this.name && this.step !== "" ? `, ${this.step}` : "";
  }

  /** What the journal keeps of a build that failed; nothing for anything else that did. */
  failed(name: string, error: string): NewEvent[] {
    if (this.name === "" || this.name !== name) return [];
    this.name = "";
    const what = `${name} could not be built`;
    const why = (error.split("\n")[0] ?? "").replace(/^error reading build output: /, "");
    const next = "correct the app's Dockerfile or what it needs, and release that under a new tag";
    return [{ phase: "image", event: "failed", message: `${what}: ${why}`, data: { code: "buildFailed", what, why, next, lines: this.lines } }];
  }

  private goesOn(name: string, detail: string): Seen {
    const events: NewEvent[] = [];
    if (this.name !== name) {
      Object.assign(this, { name, step: "", lines: [], shownAt: -Infinity });
      events.push({ phase: "image", event: "start", message: `building ${name}` });
    }
    const [, n, of, number, count, what] = STEP.exec(detail) ?? [];
    if (what === undefined) {
      if (!NOISE.test(detail)) this.lines = [...this.lines, detail].slice(-KEPT_LINES);
      return { show: [], events };
    }
    this.step = `step ${n ?? number} of ${of ?? count}: ${what.replace(/\s+/g, " ").slice(0, STEP_WIDTH)}`;
    if (this.now() - this.shownAt < EVERY_MS) return { show: [], events };
    this.shownAt = this.now();
    return { show: [`   ${this.step}`], events };
  }
}
