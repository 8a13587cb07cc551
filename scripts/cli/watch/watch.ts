import { randomBytes } from "node:crypto";
import { assertDocker } from "../../../components/runtime/docker.js";
import { errors, EXIT, messageOf } from "../../../components/runtime/errors.js";
import { openJournal } from "../../../components/runtime/journal.js";
import { openReleaseLog } from "../../../components/runtime/log.js";
import { stamp } from "../../../components/runtime/paths.js";
import { readLive } from "../../../components/traffic/live.js";
import type { TrafficRevision } from "../../../components/traffic/model.js";
import { endFreeze } from "../../../components/watch/freeze.js";
import type { WatchRules } from "../../../components/watch/judge.js";
import { canGoOn, goneOnWith, isWatching, newWatch, readWatch, type WatchState, type WatchTarget, writeWatch } from "../../../components/watch/state.js";
import { assertOperatorConfig } from "../check-config.js";
import { endLines, type Outcome } from "../outcome.js";
import { print, printError } from "../output.js";
import { passphraseOf } from "../passphrase.js";
import { lookAtPresent } from "../present.js";
import { noteWatch } from "../receipt/watched.js";
import { endWith, onSignal } from "../signals.js";
import { localTime } from "../when.js";
import type { Workspace } from "../workspace.js";
import { detach } from "./detach.js";
import { followWatch } from "./follow.js";
import { runWatch } from "./loop.js";
import { formOf, Screen } from "./screen.js";
import { running } from "./words.js";
import { watchWorld } from "./world.js";

export interface WatchOptions {
  /** Milliseconds; absent: what is left of a watch that was interrupted, else `watch.for`. */
  forMs?: number;
  detach: boolean;
  json: boolean;
}

/** Of a watch that nobody said the length of, where config says that releases are not watched. */
const DEFAULT_MS = 3_600_000;

/** Watches what serves; one that is under way is followed, one that was interrupted gone on with. */
export async function watch(ws: Workspace, options: WatchOptions): Promise<Outcome> {
  const outcome = await begin(ws, options);
  (options.json ? printError : print)(endLines(outcome));
  return outcome;
}

async function begin(ws: Workspace, options: WatchOptions): Promise<Outcome> {
  // A deploy's own answer is over, as its run is.
  onSignal(endWith("the watch was stopped before it began; what serves goes on", "scripts/watch.sh begins it"));
  const { watch: rules } = assertOperatorConfig(ws);
  await assertDocker();
  const serving = (await readLive(ws.stack))?.table.serving ?? null;
  if (serving === null) throw errors.usage({ why: `nothing serves on ${ws.stack}, so there is nothing to watch`, next: "run scripts/deploy.sh first" });
  const found = readWatch(ws.paths);
  if (found !== null && isWatching(found) && found.target.revision === serving.revision) {
    if (options.detach) return { exitCode: EXIT.done, summary: running(found), next: "" };
    onSignal(endWith(`the watch of ${found.target.tag} goes on (pid ${found.pid})`, "scripts/watch.sh shows it again"));
    return followWatch(ws, formOf(options.json));
  }
  if (options.detach) return detach(ws, options.forMs, serving.revision);
  const id = `watch-${stamp()}-${randomBytes(3).toString("hex")}`;
  const goesOn = options.forMs === undefined && canGoOn(found, serving.revision, Date.now());
  const state = goesOn ? goneOnWith(found, id) : newWatch(id, await targetOf(ws, serving), Date.now(), options.forMs ?? (rules.for === 0 ? DEFAULT_MS : rules.for));
  writeWatch(ws.paths, state);
  return conduct(ws, options, rules, state, goesOn);
}

async function conduct(ws: Workspace, options: WatchOptions, rules: WatchRules, begun: WatchState, goesOn: boolean): Promise<Outcome> {
  const passphrase = passphraseOf({ ...ws.env, ...process.env });
  const log = openReleaseLog(ws.paths, "watch", { secrets: passphrase === null ? [] : [passphrase] });
  const journal = openJournal(ws.paths, { run: begun.id });
  const world = watchWorld({ ws, screen: new Screen(formOf(options.json)), log, journal });
  const { tag, revision } = begun.target;
  world.say(`${goesOn ? "going on with the watch of" : "watching"} ${tag} until ${localTime(new Date(begun.endsAt).toISOString())}, log ${log.file}`);
  journal.write({ phase: "watch", event: "start", message: `watching ${tag}`, data: { tag, revision, endsAt: begun.endsAt, goesOn } });
  try {
    const { state, outcome } = await runWatch(world, rules, begun);
    journal.write({ phase: "watch", event: "done", message: log.redact(outcome.summary), data: { tag, revision, exitCode: outcome.exitCode, state: state.state, history: state.history } });
    for (const line of endLines(outcome)) log.write(line);
    await noteWatch(ws, state, Date.now(), log.redact).catch((error: unknown) => log.write(`the receipt could not be given what the watch saw: ${messageOf(error)}`));
    return outcome;
  } finally {
    log.close();
  }
}

/** What is probed, from the release's record: a watch that is gone on with needs no Pulumi. */
async function targetOf(ws: Workspace, { revision, containers, port, healthPath, tag }: TrafficRevision): Promise<WatchTarget> {
  const record = (await lookAtPresent(ws)).ledger.at(-1);
  if (record?.revision !== revision) {
    throw errors.usage({ why: `what serves on ${ws.stack} (${revision}) is not what was released last`, next: "see scripts/status.sh, and run the release or the rollback again that was not finished" });
  }
  return { revision, tag, containers, port, healthPath, scriptPath: record.settings.app.health.script, requestTimeoutMs: record.settings.gate.requestTimeout };
}

/** Releases may go on, whatever a watch complained of. */
export function thaw(ws: Workspace): Outcome {
  endFreeze(ws.paths);
  const outcome: Outcome = { exitCode: EXIT.done, summary: `releases of ${ws.stack} are not frozen`, next: "" };
  print(endLines(outcome));
  return outcome;
}
