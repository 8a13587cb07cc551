import { BuildView, NOTHING, type Seen } from "./build-view.js";
import { parseEngineLine, severityOf, type EngineLine } from "./engine-lines.js";

type Step = EngineLine & { kind: "step" };
type Message = EngineLine & { kind: "message" };

/** `creating`, `deleting original`, but neither `created` nor `creating failed`. */
const UNDER_WAY = /^[a-z]+ing\b(?!.* failed)/;

/**
 * Condenses Pulumi's output for the terminal; the log has all of it. A preview shows each operation. In an update our
 * handlers tell by themselves what they do, so that it shows containers, networks, volumes, and how a build gets on.
 */
export class EngineView {
  /** What Pulumi called an error, each once, in its order, with the lines that it announces. */
  readonly problems: string[] = [];
  /** The one that further lines of the diagnostics belong to. */
  private current: number | null = null;
  private readonly sums: string[] = [];
  private readonly underWay = new Map<string, number>();
  private readonly build: BuildView;
  private section = "";
  private hidden = false;
  private starting = false;

  /** @param now milliseconds, never set back */
  constructor(private readonly mode: "preview" | "update", private readonly now: () => number) {
    this.build = new BuildView(now);
  }

  take(raw: string): Seen {
    const line = parseEngineLine(raw);
    switch (line.kind) {
      case "none": return NOTHING;
      case "heading": return this.heading(line.title, line.rest);
      case "message": return this.message(line);
      case "text": return this.text(line.text);
      case "step": return this.mode === "preview" ? previewed(line) : this.updated(line);
    }
  }

  /** What has been under way for longest, for who has seen nothing for a while; null when nothing is for so many milliseconds. */
  stillAt(least: number): string | null {
    const [name, since] = [...this.underWay].sort(([, a], [, b]) => a - b)[0] ?? [];
    if (name === undefined || since === undefined || this.now() - since < least) return null;
    return `   still at ${name}${this.build.stepOf(name)} (${Math.round((this.now() - since) / 1000)} s)`;
  }

  /** What was done, in one line, when Pulumi has ended; null when it did not say. */
  sum(): string | null {
    return this.sums.length === 0 ? null : this.sums.join(", ");
  }

  private heading(title: string, rest: string): Seen {
    this.section = title;
    this.hidden = false;
    this.current = null;
    if (title === "Duration") this.sums.push(rest);
    return NOTHING;
  }

  private message({ name, severity, text }: Message): Seen {
    if (severity === "error") {
      this.problem(text);
      return { show: [], events: this.build.failed(name, text) };
    }
    return severity === "warning" && this.mode === "preview" ? { show: [`!  ${text}`], events: [] } : NOTHING;
  }

  private text(text: string): Seen {
    const { severity, text: words } = severityOf(text);
    if (severity === "error") this.problem(words);
    if (this.section === "Resources") this.sums.push(text.trim().replace(/^\d+ changes\. /, ""));
    if (this.section === "Diagnostics") return this.diagnostic(text, severity);
    return this.section === "Resources" || this.section === "Outputs" || severity === "error" ? NOTHING : { show: [text], events: [] };
  }

  /** Problems were shown when they came. What is left of a preview's is to be read, such as the table of capacity. */
  private diagnostic(text: string, severity: string): Seen {
    if (/^ {2}\S.*:$/.test(text)) {
      this.hidden = this.mode === "update";
      this.current = null;
      return NOTHING;
    }
    if (severity === "info") this.goOn(text.trim());
    else if (severity === "warning") this.current = null;
    // An error may have lines of its own below it; a warning of ours has one.
    this.hidden ||= severity === "error";
    return this.hidden || severity === "warning" ? NOTHING : { show: [text.replace(/^ {4}/, "")], events: [] };
  }

  private problem(text: string): void {
    this.current = null;
    if (text === "" || /^(update|preview) failed$/.test(text)) return;
    const known = this.problems.findIndex((one) => one === text || one.startsWith(`${text}\n`));
    const at = known < 0 ? this.problems.push(text) - 1 : known;
    // Providers in Go say `1 error occurred:`, and the error in the next line. Below others there is a build's whole output.
    if (text.endsWith(":")) this.current = at;
  }

  /** A further line of an error, once. */
  private goOn(text: string): void {
    const begun = this.current === null ? undefined : this.problems[this.current];
    if (this.current !== null && begun !== undefined && text !== "" && !begun.split("\n").includes(text)) this.problems[this.current] = `${begun}\n${text}`;
  }

  private updated(step: Step): Seen {
    const { name, type, words } = step;
    const underWay = UNDER_WAY.test(words);
    if (!underWay) this.underWay.delete(name);
    else if (!this.underWay.has(name)) this.underWay.set(name, this.now());
    if (type.endsWith(":Gate") && underWay && this.starting) {
      this.starting = false;
      return { show: [], events: [{ phase: "start", event: "done", message: "the containers are made" }] };
    }
    const kind = /^docker:index:(Image|Container|Network|Volume)$/.exec(type)?.[1]?.toLowerCase();
    if (kind === undefined) return NOTHING;
    if (kind === "image") return this.build.take(step);
    if (!underWay) return { show: [`${step.mark.padEnd(2)} ${kind} ${name} ${words}${step.seconds === "" ? "" : ` (${step.seconds} s)`}`], events: [] };
    return name.startsWith("app-") && words === "creating" ? this.starts(name) : NOTHING;
  }

  private starts(container: string): Seen {
    if (this.starting) return NOTHING;
    this.starting = true;
    return { show: [], events: [{ phase: "start", event: "start", message: `starting ${container.replace(/^app-(.*)-\d+$/, "$1")}` }] };
  }
}

function previewed({ mark, type, name, words, detail }: Step): Seen {
  return words === "read" ? NOTHING : { show: [`${mark.padEnd(2)} ${type} ${name} ${words} ${detail}`.trimEnd()], events: [] };
}
