/** Row 25: a run is asked to stop, once or twice. */
import assert from "node:assert/strict";
import { describeLock } from "../../../components/runtime/lock.js";
import { withEnvironment, type Running } from "../../support/processes.js";
import { waitFor } from "../../support/wait.js";
import type { Moment } from "./moments.js";
import type { KillWorld } from "./world.js";

export type Stop = "SIGINT" | "SIGTERM";

/** Stops a deploy at a moment: exit code 130, the old or the new release serves, nothing is left, and the next deploy converges. */
export async function stopped(world: KillWorld, moment: Moment, signal: Stop, times: 1 | 2): Promise<void> {
  const { project } = world.stack;
  const old = await world.serving();
  const tag = world.tag();
  const { hit, ended } = await world.strike(() => world.startDeploy(tag), tag, moment, (running) => send(running, signal, times));
  assert.ok(hit, `the run was over before: ${ended.lastLine}`);
  assert.equal(ended.exitCode, 130, ended.all);
  assert.match(ended.lastLine, /^INTERRUPTED \(exit 130\): /);
  assert.ok([old, tag].includes(await world.serving()));
  assert.equal(describeLock(project.paths)?.state, "released");
  assert.deepEqual(withEnvironment("PBJRAG_DATA_DIR", project.paths.dataDir), []);
  world.assertServed();
  await world.converge(tag, ended);
  world.assertServed();
}

/** Ctrl-C reaches the terminal's whole foreground group, SIGTERM the script's process. The second one comes when the first was heard. */
async function send(running: Running, signal: Stop, times: 1 | 2): Promise<void> {
  let over = false;
  void running.ended.then(() => { over = true; });
  const one = (): unknown => (signal === "SIGINT" ? process.kill(-running.pid, signal) : running.signal(signal));
  one();
  if (times === 1) return;
  await waitFor("the first signal to be answered", () => over || /stopping after the current step|^INTERRUPTED/m.test(running.output()), { everyMs: 5 });
  if (!over) one();
}
