import { messageOf } from "../errors.js";
import type { Events, Op, Severity, Step } from "../engine/events.js";
import { nameOf, shortType, stackUrn, typeOf } from "../engine/urn.js";
import type { StackName } from "../state/backend.js";
import type { Props } from "../values.js";
import { diffLines } from "./values.js";

interface Words {
  mark: string;
  color: string;
  /** In a preview; while it runs; when it has ended; when it has failed. */
  words: [string, string, string, string];
}

const WORDS: Record<Op, Words> = {
  same: { mark: "  ", color: "", words: ["", "", "", ""] },
  create: { mark: "+ ", color: "32", words: ["create", "creating", "created", "creating failed"] },
  update: { mark: "~ ", color: "33", words: ["update", "updating", "updated", "updating failed"] },
  delete: { mark: "- ", color: "31", words: ["delete", "deleting", "deleted", "deleting failed"] },
  replace: { mark: "+-", color: "35", words: ["replace", "replacing", "replaced", "replacing failed"] },
  "create-replacement": {
    mark: "++",
    color: "32",
    words: ["create replacement", "creating replacement", "created replacement", "creating failed"],
  },
  "delete-replaced": {
    mark: "--",
    color: "31",
    words: ["delete original", "deleting original", "deleted original", "deleting failed"],
  },
  read: { mark: "> ", color: "36", words: ["read", "reading", "read", "reading failed"] },
  discard: { mark: "< ", color: "36", words: ["discard", "discarding", "discarded", "discarding failed"] },
  refresh: { mark: "~ ", color: "33", words: ["refresh", "refreshing", "refreshed", "refreshing failed"] },
};

/** How an update is shown. */
export interface DisplayOptions {
  stack: StackName;
  preview: boolean;
  /** Show what differs in each resource. */
  diff: boolean;
  color: boolean;
  /** Show nothing: the result is printed as JSON. */
  silent: boolean;
  write(text: string): void;
}

/** A message kept for the end. */
export interface Message {
  severity: Severity;
  urn: string;
  text: string;
}

/** Shows an update line by line, and keeps what the summary needs. */
export class Display implements Events {
  readonly steps: Step[] = [];
  readonly messages: Message[] = [];
  private readonly begun = new Map<string, number>();
  private readonly current = new Map<string, Step>();
  private readonly reported = new WeakSet<object>();
  private failures = 0;

  constructor(private readonly options: DisplayOptions) {}

  started(step: Step): void {
    this.begun.set(`${step.op} ${step.urn}`, Date.now());
    this.current.set(step.urn, step);
    if (!this.options.preview && step.op !== "same" && step.op !== "refresh") this.line(step, `${WORDS[step.op].words[1]} (0s)`, note(step));
  }

  done(step: Step): void {
    this.current.delete(step.urn);
    this.steps.push(step);
    if (step.hidden === true || step.op === "same" || (step.op === "read" && !this.options.diff)) return;
    const { words } = WORDS[step.op];
    if (this.options.preview) this.line(step, words[0], note(step));
    else if (step.op !== "read") this.line(step, `${words[2]} (${this.seconds(step)}s)`, note(step));
    if (this.options.diff) this.showDiff(step);
  }

  failed(step: Step, error: unknown): void {
    this.current.delete(step.urn);
    this.line(step, `**${WORDS[step.op].words[3]}**`, note(step));
    this.problem(step.urn, error);
  }

  message(severity: Severity, urn: string, text: string): void {
    if (severity === "debug") return;
    const step = this.current.get(urn);
    const prefix = severity === "warning" || severity === "error" ? `${severity}: ` : "";
    const first = text.split("\n")[0] ?? "";
    if (step !== undefined && !this.options.preview) {
      this.line(step, `${WORDS[step.op].words[1]} (${this.seconds(step)}s)`, `${prefix}${first}`);
    } else {
      this.line({ op: "same", urn }, "running", `${prefix}${first}`);
    }
    if (severity !== "status") this.messages.push({ severity, urn, text });
    if (severity === "error") this.failures += 1;
  }

  problem(urn: string, error: unknown): void {
    // The same error comes by again on its way out of the engine.
    if (typeof error === "object" && error !== null) {
      if (this.reported.has(error)) return;
      this.reported.add(error);
    }
    this.message("error", urn, messageOf(error));
  }

  /** How many resources each operation was done to; hidden ones do not count. */
  counts(): Partial<Record<Op, number>> {
    const counts: Partial<Record<Op, number>> = {};
    for (const { op, hidden, counted } of this.steps) {
      if (hidden !== true && counted !== false && op !== "create-replacement" && op !== "delete-replaced") counts[op] = (counts[op] ?? 0) + 1;
    }
    return counts;
  }

  /** Messages by resource, then outputs, then what was done. */
  summary(outputs: { olds: Props; news: Props } | undefined, milliseconds: number | undefined): void {
    this.showMessages();
    if (outputs !== undefined) this.showOutputs(outputs.olds, outputs.news);
    this.showCounts();
    if (milliseconds !== undefined) this.write(`Duration: ${Math.max(1, Math.round(milliseconds / 1000))}s\n`);
  }

  private showMessages(): void {
    const urns = [...new Set(this.messages.map((each) => each.urn))];
    if (urns.length === 0) return;
    this.write("Diagnostics:");
    for (const urn of urns) {
      this.write(`  ${shortType(typeOf(urn))} (${nameOf(urn)}):`);
      for (const { severity, text } of this.messages.filter((each) => each.urn === urn)) {
        const prefix = severity === "info" ? "" : `${severity}: `;
        this.write(`${prefix}${text.replace(/\n$/, "")}`.replace(/^/gm, "    "));
      }
      this.write("");
    }
  }

  private showOutputs(olds: Props, news: Props): void {
    const shown = diffLines(olds, news, { all: !this.options.preview });
    if (shown.length > 0) this.write(`Outputs:\n${shown.map((line) => `  ${line}`).join("\n")}\n`);
  }

  private showCounts(): void {
    const counts = this.counts();
    const { preview } = this.options;
    const shown: Op[] = ["create", "update", "delete", "replace", "discard"];
    const lines = shown.flatMap((op) => {
      const count = counts[op];
      const word = preview ? `to ${WORDS[op].words[0]}` : WORDS[op].words[2];
      return count === undefined ? [] : [`    ${WORDS[op].mark}${count} ${word}`];
    });
    const changes = shown.reduce((sum, op) => sum + (counts[op] ?? 0), 0);
    const same = counts.same ?? 0;
    const unchanged = same === 0 ? [] : [`${lines.length > 1 ? `${changes} changes. ` : ""}${same} unchanged`];
    const errored = this.failures === 0 ? [] : [`${this.failures} errored`];
    const all = [...lines, ...[...unchanged, ...errored].map((line) => `    ${line}`)];
    this.write(`Resources:\n${all.length === 0 ? "    0 unchanged" : all.join("\n")}\n`);
  }

  private showDiff(step: Step): void {
    if (step.op === "read" || step.op === "create-replacement" || step.op === "delete-replaced") return;
    const olds = step.op === "create" ? {} : (step.old?.inputs ?? {});
    const news = step.op === "delete" ? {} : (step.next?.inputs ?? {});
    if (step.op === "delete") return this.write(`        [urn=${step.urn}]`);
    const changes = diffLines(olds, news, { all: step.op === "create" });
    this.write([`    [urn=${step.urn}]`, ...changes].map((line) => `    ${line}`).join("\n"));
  }

  private seconds(step: Step): string {
    const { begun } = this;
    const start = begun.get(`${step.op} ${step.urn}`) ?? begun.get(`refresh ${step.urn}`) ?? Date.now();
    const took = Math.max(0, Date.now() - start) / 1000;
    return took < 1 ? took.toFixed(2) : String(Math.floor(took));
  }

  private line(step: Step, words: string, detail: string): void {
    if (step.hidden === true) return;
    const { mark, color } = WORDS[step.op];
    const text = `${shortType(typeOf(step.urn))} ${nameOf(step.urn)} ${words} ${detail}`.trimEnd();
    const colored = this.options.color && color !== "" ? `\u001b[${color}m${mark}\u001b[0m` : mark;
    this.write(` ${colored} ${text}`);
  }

  /** Writes a line, unless the result is to be JSON. */
  write(text: string): void {
    if (!this.options.silent) this.options.write(`${text}\n`);
  }

  /** The stack's own URN. */
  get root(): string {
    return stackUrn(this.options.stack);
  }
}

/** `[diff: +added-removed~changed]`, as the real command writes it. */
function note(step: Step): string {
  const { keys = [], old, next } = step;
  if (step.op === "delete" && old?.retainOnDelete === true) return "[retain]";
  if (keys.length === 0) return "";
  const has = (props: Props | undefined, key: string): boolean => props?.[key] !== undefined;
  const added = keys.filter((key) => !has(old?.inputs, key));
  const removed = keys.filter((key) => has(old?.inputs, key) && !has(next?.inputs, key));
  const changed = keys.filter((key) => !added.includes(key) && !removed.includes(key));
  const parts = [
    ["+", added],
    ["-", removed],
    ["~", changed],
  ] as const;
  return `[diff: ${parts.map(([mark, names]) => (names.length === 0 ? "" : mark + names.join(","))).join("")}]`;
}
