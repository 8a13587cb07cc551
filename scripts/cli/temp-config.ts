import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { withConfig } from "./stack-file.js";
import type { Workspace } from "./workspace.js";

/**
 * Writes a copy of the stack's config file with some keys changed, and hands its path on. The stack's own file is
 * left alone until the release has succeeded: a failed one must leave nothing behind to commit.
 */
export class TempConfig {
  readonly file: string;
  private readonly dir: string;

  constructor(private readonly ws: Workspace, values: Record<string, unknown>) {
    this.dir = mkdtempSync(path.join(tmpdir(), "pbjrag-config-"));
    this.file = path.join(this.dir, `Pulumi.${ws.stack}.yaml`);
    this.set(values);
  }

  /** Writes anew from the stack's file and the given keys. */
  set(values: Record<string, unknown>): void {
    writeFileSync(this.file, withConfig(readFileSync(this.ws.stackFile, "utf8"), values), { mode: 0o600 });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
