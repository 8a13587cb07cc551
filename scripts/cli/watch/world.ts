import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { ContainerSample } from "../../../components/gate/model.js";
import { measure } from "../../../components/metrics/look.js";
import { prometheusText } from "../../../components/metrics/prometheus.js";
import { messageOf } from "../../../components/runtime/errors.js";
import type { Journal } from "../../../components/runtime/journal.js";
import { describeLock, holderInWords } from "../../../components/runtime/lock.js";
import type { ReleaseLog } from "../../../components/runtime/log.js";
import { writeWhole } from "../../../components/runtime/whole-file.js";
import { entranceOf, readLive } from "../../../components/traffic/live.js";
import { logErrors } from "../../../components/watch/app-log.js";
import { writeFreeze } from "../../../components/watch/freeze.js";
import { checkHealth, healthFault } from "../../../components/watch/health.js";
import { readWatch, type WatchState, writeWatch } from "../../../components/watch/state.js";
import { watchNotices } from "../notify/notices.js";
import { rollback } from "../rollback.js";
import { secretNames } from "../secrets.js";
import { onSignal } from "../signals.js";
import { operationsOf } from "../operations.js";
import type { Workspace } from "../workspace.js";
import type { Seen, WatchWorld } from "./loop.js";
import type { Screen } from "./screen.js";
import { viewLine, viewOf } from "./view.js";

export interface WorldParts {
  ws: Workspace;
  screen: Screen;
  log: ReleaseLog;
  journal: Journal;
}

/** The real one: Docker, the front door, the stack's files, this terminal. */
export function watchWorld({ ws, screen, log, journal }: WorldParts): WatchWorld {
  const stopping = new AbortController();
  const answer = (signal: NodeJS.Signals): void => {
    log.write(`${signal}: stopping`);
    stopping.abort();
  };
  onSignal(answer);
  let health: ContainerSample[] = [];
  let lookedAt = 0;
  const say = (line: string): void => {
    screen.say(log.redact(line));
    log.write(line);
  };
  const replaced = ({ id }: WatchState): boolean => (readWatch(ws.paths)?.id ?? id) !== id;
  const look = async (state: WatchState, clockSetBy: number): Promise<Seen> => {
    const live = await readLive(ws.stack);
    if (live !== null && live.digest === null) throw new Error("the front door does not answer");
    if (live === null || live.table.serving?.revision !== state.target.revision) return { serving: live?.table.serving ?? null, slots: [], lastError: "" };
    const secretEnv = secretNames(ws);
    const since = lookedAt === 0 ? Date.now() : lookedAt + clockSetBy;
    lookedAt = Date.now();
    const own = Promise.all([checkHealth(state.target, entranceOf(live), secretEnv), logErrors(state.target.containers, since, secretEnv)]);
    let lastError = "";
    const seen = own.then(([samples, { count, last }]) => {
      const reason = healthFault(state.target.healthPath, health, samples);
      health = samples;
      lastError = last;
      return { failed: reason === "" ? 0 : 1, reason, logErrors: count };
    });
    const { serving } = live.table;
    const measured = await measure(ws.paths, live.table, { seen, clockSetBy });
    // For a textfile collector.
    writeWhole(path.join(ws.paths.run, "metrics.prom"), await prometheusText({ stack: ws.stack, ...(await operationsOf(ws.paths, live)), ...measured }));
    return { serving, slots: measured.kept.slots, lastError };
  };
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    sleep: async (ms) => { await delay(ms, undefined, { signal: stopping.signal }).catch(() => undefined); },
    stopped: () => stopping.signal.aborted,
    replaced,
    look,
    save: (state) => {
      if (!replaced(state)) writeWatch(ws.paths, state);
    },
    show: (state, seen) => {
      const view = viewOf(state, seen, Date.now());
      screen.show(view);
      log.write(viewLine(view));
    },
    say,
    tell: ({ target }, { rule, action, what }, consequence) => {
      const { tag, revision } = target;
      journal.write({ phase: "watch", event: action === "rollback" ? "failed" : "info", message: log.redact(`the watch of ${tag} saw: ${what}`), data: { rule, action, what: log.redact(what), tag, revision } });
      watchNotices(ws, { shownPath: path.relative(ws.projectDir, log.file), redact: log.redact, detail: (line) => log.write(line) }, tag)?.tell("watch", { summary: `${rule}: ${what}; ${consequence}` });
    },
    freeze: ({ target }, { what }) => writeFreeze(ws.paths, { revision: target.revision, tag: target.tag, what, at: new Date().toISOString() }),
    busy: () => {
      const lock = describeLock(ws.paths);
      return lock !== null && lock.state === "alive" ? holderInWords(lock.holder) : "";
    },
    rollback: async (cause) => {
      screen.clear();
      const ended = await rollback(ws, { dryRun: false, yes: true, waitMs: 0, watch: { ...cause, what: log.redact(cause.what) } }, null).catch((error: unknown) => ({ exitCode: 4 as const, summary: messageOf(error), next: "run scripts/rollback.sh" }));
      onSignal(answer);
      return ended;
    },
  };
}
