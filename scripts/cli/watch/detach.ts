import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EXIT } from "../../../components/runtime/errors.js";
import { isWatching, readWatch } from "../../../components/watch/state.js";
import { apartEnv } from "../apart.js";
import type { Outcome } from "../outcome.js";
import type { Workspace } from "../workspace.js";
import { running } from "./words.js";

/** Milliseconds within which it must have begun: it asks Pulumi for the release's record. */
const WITHIN_MS = 60_000;
const POLL_MS = 100;

/**
 * Starts a watch in a session of its own, which no terminal ends, and returns when it watches. What it prints is in `.release/run/<stack>/watch.out`.
 * @param forMs milliseconds; undefined: as without `--detach`
 */
export async function detach(ws: Workspace, forMs: number | undefined, revision: string): Promise<Outcome> {
  mkdirSync(ws.paths.run, { recursive: true, mode: 0o700 });
  const out = path.join(ws.paths.run, "watch.out");
  const fd = openSync(out, "w", 0o600);
  const child = spawn(process.execPath, [path.join(ws.projectDir, "dist", "cli.cjs"), "watch", "--stack", ws.stack, ...(forMs === undefined ? [] : ["--for", `${forMs}ms`])], { cwd: ws.projectDir, env: apartEnv(process.env), detached: true, stdio: ["ignore", fd, fd] });
  closeSync(fd);
  let ended = false;
  child.once("exit", () => { ended = true; });
  child.once("error", () => { ended = true; });
  child.unref();
  for (const until = performance.now() + WITHIN_MS; !ended && performance.now() < until; await delay(POLL_MS)) {
    const state = readWatch(ws.paths);
    if (state !== null && state.pid === child.pid && state.target.revision === revision && isWatching(state)) {
      return { exitCode: EXIT.done, summary: running(state), next: "scripts/watch.sh shows it" };
    }
  }
  return { exitCode: EXIT.unverified, summary: `the watch did not begin: see ${out}`, next: "scripts/watch.sh tries again" };
}
