import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { EXIT, messageOf } from "../../components/runtime/errors.js";
import { readRun } from "../../components/runtime/journal.js";
import { endRun } from "../../components/runtime/processes.js";
import { createRedactor } from "../../components/runtime/redact.js";
import { Engine } from "./engine.js";
import { findDrift, inASentence } from "./drift/drift.js";
import { drifted, refusing } from "./drift/settle.js";
import { refusedBy } from "./failure.js";
import { misreadLines } from "./misread.js";
import { openStack } from "./open-stack.js";
import { endLines, type Outcome } from "./outcome.js";
import { print } from "./output.js";
import { readPresent, type Present } from "./present.js";
import { failureOutcome, Interrupted } from "./run.js";
import { secretsOf } from "./secrets.js";
import { onSignal } from "./signals.js";
import { TempConfig } from "./temp-config.js";
import type { Workspace } from "./workspace.js";

/**
 * `pulumi preview` with the config that the command would use. It takes no lock and leaves nothing but the source
 * checkout cache, so it can be asked for while a release is under way.
 *
 * @param data as for {@link refusing}
 */
export async function dryRun(ws: Workspace, command: string, values: Record<string, unknown>, data: "kept" | "replaced" = "kept"): Promise<Outcome> {
  const outcome = await preview(ws, command, values, data).catch((error: unknown) => failureOutcome(error));
  print(endLines(outcome));
  return outcome;
}

async function preview(ws: Workspace, command: string, values: Record<string, unknown>, data: "kept" | "replaced"): Promise<Outcome> {
  const id = `dry-run-${randomBytes(4).toString("hex")}`;
  let redact = createRedactor([]);
  const engine = new Engine(ws, { PBJRAG_RUN: id, PBJRAG_DATA_DIR: ws.paths.dataDir }, {
    raw: () => undefined, show: (line) => print([redact(line)]), event: () => undefined, quietMs: () => 0,
  });
  let stopped = false;
  onSignal(() => {
    stopped = true;
    engine.interrupt(true);
  });
  const file = readFileSync(ws.stackFile);
  const made = await openStack(ws, engine);
  let config: TempConfig | null = null;
  try {
    redact = createRedactor(await secretsOf(ws, engine));
    if (!made) await tellDrift(ws, await readPresent(engine, ws), data);
    config = new TempConfig(ws, values);
    print(misreadLines(ws).map((line) => redact(line)));
    const result = await engine.show("preview", [
      "preview", "--stack", ws.stack, "--config-file", config.file, "--non-interactive", "--suppress-outputs", "--color", "never",
    ]);
    if (stopped) throw new Interrupted();
    const refused = refusedBy(readRun(ws.paths, id));
    if (refused !== null) throw refused;
    if (result.exitCode !== 0) throw await engine.failure("preview", result);
    return { exitCode: EXIT.done, summary: `this is what ${command} would change; nothing was touched`, next: "" };
  } finally {
    config?.remove();
    // A preview that fails can leave a provider behind: nothing of this command outlives it.
    await endRun(id);
    // Pulumi previews no stack that its backend does not know, and writes into the file of one that it makes.
    if (made) {
      await engine.removeStack().catch((error: unknown) => {
        print([`the stack that this preview needed is still there: ${messageOf(error)}; remove it with: scripts/pulumi.sh --stack ${ws.stack} stack rm`]);
      });
      writeFileSync(ws.stackFile, file);
    }
  }
}

/** What the command would take over, or be refused for. @throws ReleaseError `drifted` */
async function tellDrift(ws: Workspace, present: Present, data: "kept" | "replaced"): Promise<void> {
  const drifts = await findDrift(ws, present);
  const refused = refusing(drifts, data);
  if (refused.length > 0) throw drifted(ws.stack, refused);
  for (const drift of drifts) print([inASentence({ ...drift, next: null })]);
}
