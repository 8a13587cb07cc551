import { setTimeout as delay } from "node:timers/promises";
import { readKept } from "../../../components/metrics/kept.js";
import { EXIT } from "../../../components/runtime/errors.js";
import { isWatching, readWatch } from "../../../components/watch/state.js";
import type { Outcome } from "../outcome.js";
import type { Workspace } from "../workspace.js";
import { type Form, Screen } from "./screen.js";
import { viewOf } from "./view.js";

const EVERY_MS = 1000;

/** Shows a watch of another process until it ends; it does not end with its looker. */
export async function followWatch({ paths }: Workspace, form: Form): Promise<Outcome> {
  const screen = new Screen(form);
  let shown = 0;
  for (;;) {
    const state = readWatch(paths);
    const kept = readKept(paths);
    if (state !== null && kept !== null && kept.at !== shown) {
      shown = kept.at;
      screen.show(viewOf(state, { serving: null, slots: kept.slots, lastError: "" }, Date.now()));
    }
    if (state === null || !isWatching(state)) {
      screen.clear();
      const how = state === null || state.ending === "" ? "it was ended before its time" : state.ending;
      return { exitCode: state?.exitCode ?? EXIT.unverified, summary: `the watch has ended: ${how}`, next: "" };
    }
    await delay(EVERY_MS);
  }
}
