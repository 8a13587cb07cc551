import { createInterface } from "node:readline/promises";
import type { ConfigValue } from "../config.js";
import { configOf, snapshotOf, stackOf, version, wantsColor, workspace, type CommonOptions, type Workspace } from "../context.js";
import { Display } from "../display/display.js";
import { Progress } from "../engine/progress.js";
import { run, type RunOptions } from "../engine/run.js";
import { STACK_TYPE } from "../engine/urn.js";
import { CommandError, EXIT, fail } from "../errors.js";
import type { StackName } from "../state/backend.js";
import { Codec, type Snapshot } from "../state/checkpoint.js";
import { recordHistory } from "../state/history.js";
import { Lock } from "../state/lock.js";
import { StackFile } from "../state/store.js";
import type { Props } from "../values.js";
import { previewJson } from "./preview-json.js";

/** Options of `up`, `preview`, `destroy` and `refresh`. */
export interface UpdateOptions extends CommonOptions {
  yes?: boolean;
  skipPreview?: boolean;
  diff?: boolean;
  refresh?: boolean;
  expectNoChanges?: boolean;
  suppressOutputs?: boolean;
  message?: string;
  json?: boolean;
  clearPendingCreates?: boolean;
  previewOnly?: boolean;
}

type Kind = RunOptions["kind"];

const TITLES: Record<Kind, [string, string]> = {
  update: ["Previewing update", "Updating"],
  destroy: ["Previewing destroy", "Destroying"],
  refresh: ["Previewing refresh", "Refreshing"],
};

/** Everything one run of the engine needs. */
interface Session extends Workspace {
  name: StackName;
  config: Record<string, ConfigValue>;
  sealedConfig: Props;
  codec: Codec;
  options: UpdateOptions;
  kind: Kind;
}

/** `up`, `destroy` and `refresh`: a preview unless it is skipped, a question, then the update. */
export async function updateCommand(kind: Kind, options: UpdateOptions): Promise<void> {
  const interactive = options.nonInteractive !== true && process.stdin.isTTY && process.stdout.isTTY;
  if (options.yes !== true && options.skipPreview !== true && options.previewOnly !== true && !interactive) {
    fail("--yes or --skip-preview or --preview-only must be passed in to proceed when running in non-interactive mode", EXIT.usage);
  }
  const session = await open(kind, options);
  if (options.previewOnly === true) return preview(session);
  if (options.skipPreview !== true) await preview(session, { before: true });
  if (options.yes !== true && options.skipPreview !== true) await confirm(kind);
  await update(session);
}

/** `preview`: what an update would do, without doing it. */
export async function previewCommand(options: UpdateOptions): Promise<void> {
  await preview(await open("update", options));
}

async function open(kind: Kind, options: UpdateOptions): Promise<Session> {
  const place = await workspace(options);
  const name = stackOf(options, place);
  const file = await configOf(options, place.project, name);
  const crypter = await file.crypter();
  return {
    ...place,
    name,
    config: await file.values(),
    sealedConfig: file.sealed(),
    codec: new Codec(crypter),
    options,
    kind,
  };
}

async function confirm(kind: Kind): Promise<void> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const said = await terminal.question(`Do you want to perform this ${kind}? (yes/no) `);
  terminal.close();
  if (!/^y(es)?$/i.test(said.trim())) fail("confirmation declined, not proceeding");
}

/** The state as it is now, decrypted with the session's own crypter where it is of the same salt. */
async function current(session: Session): Promise<Snapshot> {
  const { backend, name, codec } = session;
  const { latest } = backend.read(name).checkpoint;
  const salt = latest?.secrets_providers?.state?.salt;
  // Another passphrase or salt than the config's: read with that one, written with the config's.
  return salt === undefined || salt === codec.salt ? codec.decode(latest) : snapshotOf(backend, name);
}

function display(session: Session, preview: boolean, silent: boolean): Display {
  const { options, name } = session;
  return new Display({
    stack: name,
    preview,
    diff: options.diff === true,
    color: wantsColor(options),
    silent,
    write: (text) => process.stdout.write(text),
  });
}

async function preview(session: Session, { before = false } = {}): Promise<void> {
  const { kind, name, options } = session;
  const started = Date.now();
  const shown = display(session, true, options.json === true);
  const progress = new Progress();
  shown.write(`${TITLES[kind][0]} (${name.stack}):\n`);
  const forget = onInterrupt(progress);
  const snapshot = await current(session);
  const outputs = outputsOf(snapshot);
  const after = await run({ ...parts(session), preview: true, snapshot, events: shown, progress });
  forget();
  if (progress.failed || progress.cancelled) {
    shown.problem(shown.root, new CommandError(progress.cancelled ? "preview canceled" : "preview failed"));
  }
  if (options.json === true) process.stdout.write(previewJson(session.config, shown, Date.now() - started));
  const showOutputs = options.suppressOutputs !== true && !progress.failed && kind === "update";
  shown.summary(showOutputs ? { olds: outputs, news: outputsOf(after) } : undefined, undefined);
  finish(session, shown, progress, before ? undefined : "preview");
}

async function update(session: Session): Promise<void> {
  const { backend, name, kind, options, codec } = session;
  const started = Date.now();
  const lock = Lock.take(backend, name);
  const shown = display(session, false, false);
  const progress = new Progress();
  const forget = onInterrupt(progress);
  try {
    shown.write(`${TITLES[kind][1]} (${name.stack}):\n`);
    const snapshot = clearedOperations(await current(session), options, kind);
    const sink = new StackFile(backend, name, codec, await version());
    const outputs = outputsOf(snapshot);
    const after = await run({ ...parts(session), preview: false, snapshot, sink, events: shown, progress });
    const failed = progress.failed || progress.cancelled;
    if (failed) shown.problem(shown.root, new CommandError(progress.cancelled ? `${kind} canceled` : `${kind} failed`));
    record(session, shown, sink.checkpoint(after), started, failed);
    const showOutputs = options.suppressOutputs !== true && kind !== "refresh";
    shown.summary(showOutputs ? { olds: outputs, news: outputsOf(after) } : undefined, Date.now() - started);
    if (kind === "destroy" && !failed) shown.write(goodbye(name));
  } finally {
    forget();
    lock.release();
  }
  finish(session, shown, progress, kind);
}

const goodbye = (name: StackName): string =>
  "The resources in the stack have been deleted, but the history and configuration associated with the stack are still " +
  `maintained.\nIf you want to remove the stack completely, run \`pulumi stack rm ${name.stack}\`.`;

function parts(session: Session) {
  const { kind, project, backend, name, config, options } = session;
  return { kind, project, backend, stack: name, config, refresh: options.refresh === true };
}

const outputsOf = (snapshot: Snapshot): Props => ({
  ...snapshot.resources.find((each) => each.type === STACK_TYPE && each.delete !== true)?.outputs,
});

/** A refresh clears what was interrupted; creations only when it is told to, since they may have left something. */
function clearedOperations(snapshot: Snapshot, options: UpdateOptions, kind: Kind): Snapshot {
  if (kind !== "refresh") return snapshot;
  const operations = snapshot.operations.filter((each) => each.type === "creating" && options.clearPendingCreates !== true);
  return { ...snapshot, operations };
}

function record(session: Session, shown: Display, state: Parameters<typeof recordHistory>[3], started: number, failed: boolean): void {
  const { backend, name, kind, options, sealedConfig } = session;
  recordHistory(
    backend,
    name,
    {
      kind,
      startTime: Math.floor(started / 1000),
      endTime: Math.floor(Date.now() / 1000),
      message: options.message ?? "",
      environment: { "exec.kind": "cli", "runtime.name": "nodejs", "runtime.version": process.version },
      config: sealedConfig,
      version: 0,
      result: failed ? "failed" : "succeeded",
      resourceChanges: shown.counts(),
    },
    state,
  );
}

/** Ends the command as its run has ended. */
function finish(session: Session, shown: Display, progress: Progress, expectation: string | undefined): void {
  // What went wrong has been shown with the resource it concerns.
  if (progress.failed || progress.cancelled) throw new CommandError("", EXIT.error);
  if (session.options.expectNoChanges !== true || expectation === undefined) return;
  const changes = Object.keys(shown.counts()).filter((op) => op !== "same" && op !== "read");
  if (changes.length > 0) {
    fail(`no changes were expected for ${expectation} but changes were proposed`, EXIT.changes);
  }
}

/** Ctrl-C once ends the run after its current steps; twice ends it at once, with the lock left behind. */
function onInterrupt(progress: Progress): () => void {
  const stop = (): void => {
    if (progress.cancelled) process.exit(EXIT.cancelled);
    process.stderr.write(
      "^C received; cancelling. If you would like to terminate immediately, press ^C again.\n" +
        "Note that terminating immediately may lead to orphaned resources and other inconsistencies.\n\n",
    );
    progress.cancel();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
}

