import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import path from "node:path";
import { masked } from "../../../components/notify/masked.js";
import type { NotifyEvent, NotifyKind } from "../../../components/notify/model.js";
import { Outbox } from "../../../components/notify/outbox.js";
import { EXIT, messageOf } from "../../../components/runtime/errors.js";
import { apartEnv } from "../apart.js";
import type { Outcome } from "../outcome.js";
import type { Run } from "../run.js";
import { configValue } from "../stack-file.js";
import type { Terminal } from "../terminal.js";
import type { Workspace } from "../workspace.js";

/** What a run is about. */
export interface About {
  /** What is released, or gone back to. */
  tag: string;
  /** What serves. */
  from: string | null;
}

type Told = Pick<NotifyEvent, "summary" | "next" | "lines" | "exitCode">;

/**
 * What others are told of one run. An event is a file in the outbox, and a process of its own sends it: nothing is waited for here, and
 * whatever fails is no failure of the release.
 */
export class Notices {
  constructor(private readonly ws: Workspace, private readonly terminal: Pick<Terminal, "shownPath" | "redact" | "detail">, private readonly about: About & { command: string }) {}

  tell(kind: NotifyKind, told: Partial<Told> = {}): void {
    const { terminal } = this;
    try {
      const event: NotifyEvent = {
        id: randomBytes(8).toString("hex"), time: new Date().toISOString(), kind, stack: this.ws.stack, ...this.about, by: whoBegan(process.env),
        summary: "", next: "", lines: [], exitCode: null, ...told, log: terminal.shownPath,
      };
      new Outbox(this.ws.paths).put(masked(event, (text) => terminal.redact(text)));
      startSender(this.ws);
    } catch (error) {
      terminal.detail(`others could not be told (${kind}): ${messageOf(error)}`);
    }
  }

  ended({ exitCode, summary, next, lines, held }: Outcome): void {
    this.tell(held === true ? "canary" : endKind(this.about.command, exitCode), { exitCode, summary, next, lines: [...(lines ?? [])] });
  }
}

/** Undefined where nobody is to be told. */
export function beginNotices(run: Run, about: About): Notices | undefined {
  if (!tellsAnybody(run.ws)) return undefined;
  const notices = new Notices(run.ws, run.terminal, { command: run.command, tag: about.tag, from: about.from });
  notices.tell("started");
  return notices;
}

/** The same of a watch. */
export function watchNotices(ws: Workspace, terminal: Pick<Terminal, "shownPath" | "redact" | "detail">, tag: string): Notices | undefined {
  return tellsAnybody(ws) ? new Notices(ws, terminal, { command: "watch", tag, from: tag }) : undefined;
}

/** Tells how a run ended. One that others are not told of tries again what former runs could not send. */
export function endNotices(ws: Workspace, notices: Notices | undefined, outcome: Outcome): void {
  if (notices !== undefined) notices.ended(outcome);
  else if (!new Outbox(ws.paths).isEmpty()) startSender(ws);
}

/** What the end of a command, which had begun to change something, means for others. Pure. */
export function endKind(command: string, exitCode: Outcome["exitCode"]): Exclude<NotifyKind, "started" | "gated" | "canary" | "watch"> {
  const done = exitCode === EXIT.done || exitCode === EXIT.unverified;
  if (command === "rollback") return done ? "rolledBack" : "rollbackFailed";
  if (done) return "succeeded";
  return exitCode === EXIT.rolledBack ? "rolledBack" : exitCode === EXIT.notRolledBack ? "rollbackFailed" : "failed";
}

/** Whether the stack's config has such a key; what it says is the sender's affair, who can read its secrets. */
function tellsAnybody(ws: Workspace): boolean {
  return configValue(readFileSync(ws.stackFile, "utf8"), "notify") !== undefined;
}

/** On a CI runner who pushed the button, else who sits here. */
export function whoBegan(env: NodeJS.ProcessEnv): string {
  const name = env["GITHUB_ACTOR"] ?? env["SUDO_USER"] ?? env["USER"];
  return `${name === undefined || name === "" ? userName() : name} on ${hostname()}`;
}

/** A container's user may have a number alone. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

function startSender(ws: Workspace): void {
  const child = spawn(process.execPath, [path.join(ws.projectDir, "dist", "scripts", "cli", "notify", "main.js"), ws.stack], { cwd: ws.projectDir, env: apartEnv(process.env), detached: true, stdio: "ignore" });
  child.on("error", () => undefined);
  child.unref();
}
