import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isAlive, thisProcess } from "../../components/runtime/liveness.js";
import type { DataPaths } from "../../components/runtime/paths.js";
import { withConfig } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/**
 * Writes a copy of the stack's config file with some keys changed, and hands its path on. The stack's own file is
 * left alone until the release has succeeded: a failed one must leave nothing behind to commit.
 */
export class TempConfig {
  readonly file: string;
  private readonly dir: string;
  /** Also where a signal ends the process. */
  private readonly atExit = (): void => this.remove();

  constructor(private readonly ws: Workspace, values: Record<string, unknown>) {
    const { pid, startTime } = thisProcess();
    this.dir = mkdtempSync(path.join(ws.paths.run, `config-${pid}-${startTime ?? ""}-`));
    this.file = path.join(this.dir, `Pulumi.${ws.stack}.yaml`);
    process.once("exit", this.atExit);
    this.set(values);
  }

  /** Writes anew from the stack's file and the given keys. */
  set(values: Record<string, unknown>): void {
    writeFileSync(this.file, withConfig(readFileSync(this.ws.stackFile, "utf8"), values), { mode: 0o600 });
  }

  remove(): void {
    process.off("exit", this.atExit);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** Removes those of killed processes: their names say whose they are. */
export function sweepConfigs(paths: DataPaths): void {
  for (const name of readdirSync(paths.run)) {
    const [, pid, startTime] = /^config-(\d+)-(\d*)-/.exec(name) ?? [];
    if (pid === undefined || isAlive({ pid: Number(pid), startTime: startTime === "" ? null : Number(startTime) })) continue;
    rmSync(path.join(paths.run, name), { recursive: true, force: true });
  }
}
