/** The live proxy: what it serves, and how that is changed without a lost request. */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { stackNames } from "../release/names.js";
import { errors, messageOf, ReleaseError } from "../runtime/errors.js";
import { askServed, reload, replaceConfig, sha256, type FrontDoor } from "./front-door.js";
import { composeFile, type LiveFile } from "./live-file.js";
import { type Look, lookAt, optionsAt } from "./look.js";
import { DEFAULT_OPTIONS, type ProxyOptions } from "./options.js";
import { emptyTable, sameTable, servingName, type TrafficTable } from "./model.js";

export interface LiveTraffic {
  /** Of the config that is served; null when the front door does not answer. */
  digest: string | null;
  /** What is served; where the front door does not answer, what it will serve when it runs. */
  table: TrafficTable;
  previewKey: string;
  /** Where users come in: `http://127.0.0.1:8501` */
  baseUrl: string;
  /** Where the operator does, who has the key: an entrance that users cannot fill, if this host reaches it. */
  controlUrl: string;
  options: ProxyOptions;
  /** ISO 8601: when this release began to serve. "" while none does. */
  switchedAt: string;
  /** The file that a restart would read is what is served now. A run killed between its rename and its reload leaves another one. */
  fileServed: boolean;
  /** For {@link applyTable}, which need not look again. */
  look: Look;
}

export interface ApplyOptions {
  /** Throws when this run may not change anything any more: called before each effect. */
  assertHolds: () => void | Promise<void>;
  /** Milliseconds until the new config must be served. */
  deadlineMs?: number;
  /** A look of a moment ago, to save one. Whatever has changed the config since makes the change fail: nothing is overwritten. */
  look?: Look;
}

export interface Applied {
  digest: string;
  /** ISO 8601. Unchanged while the same release serves under the same number. */
  switchedAt: string;
  /** False: it was served already. */
  changed: boolean;
  tookMs: number;
}

const DEADLINE_MS = 15_000;
const POLL_MS = 10;
/** A signal that met HAProxy while it was starting is lost. */
const SIGNAL_AGAIN_MS = 2000;
/** Until the old worker has let go of the port it may take a connection now and then: one answer proves little. */
const ANSWERS_IN_A_ROW = 3;

/** Errors that are not about this move: who meets them needs their own code. */
const KEPT = ["lockLost", "lockHeld", "dockerUnavailable"];

/** Null: there is no proxy, or it has no config yet. */
export async function readLive(stack: string): Promise<LiveTraffic | null> {
  const look = await lookAt(stackNames(stack).proxyContainer);
  if (look === null || look.file === null) {
    return null;
  }
  const { file, door } = look;
  return { digest: look.digest, table: look.table ?? file.table, previewKey: file.previewKey, baseUrl: door.baseUrl, controlUrl: look.url, options: file.options, switchedAt: file.switchedAt, fileServed: file.digest === look.digest, look };
}

/** Where probes go, and the key that leads them. Null: there is no proxy, or it has no config yet. */
export async function readEntrance(stack: string): Promise<{ baseUrl: string; previewKey: string } | null> {
  const live = await readLive(stack);
  return live === null ? null : entranceOf(live);
}

export function entranceOf({ controlUrl, previewKey }: Pick<LiveTraffic, "controlUrl" | "previewKey">): { baseUrl: string; previewKey: string } {
  return { baseUrl: controlUrl, previewKey };
}

/**
 * Makes the front door serve a table, and returns when its newest worker says that it does. Nothing is done if it does so
 * already. When it fails, what served before serves on.
 * @throws ReleaseError routeFailed, or lockLost from `assertHolds`
 */
export async function applyTable(stack: string, table: TrafficTable, options: ApplyOptions): Promise<Applied> {
  const revision = table.serving?.revision ?? "nothing";
  let serving = "";
  try {
    const look = options.look ?? (await lookAt(stackNames(stack).proxyContainer));
    if (look === null || look.file === null) {
      throw new Error("the proxy is not there, or was never prepared");
    }
    const before = look.table ?? look.file.table;
    serving = servingName(before);
    const same = before.seq === table.seq && before.serving?.revision === table.serving?.revision && look.file.switchedAt !== "";
    const switchedAt = same ? look.file.switchedAt : new Date().toISOString();
    return await move(look, composeFile({ ...look.file, table, switchedAt }), options);
  } catch (error) {
    if (error instanceof ReleaseError && KEPT.includes(error.code)) {
      throw error;
    }
    throw errors.routeFailed({ revision, why: inWords(error), serving }, error);
  }
}

/**
 * Makes the front door serve what it serves as today's program renders it; with nothing to serve, a page that says so.
 * @param wanted what the operator sets
 * @throws Error in plain words
 */
export async function prepareFront(stack: string, options: ApplyOptions, wanted: ProxyOptions = DEFAULT_OPTIONS): Promise<Applied> {
  const look = await lookWhenRunning(stackNames(stack).proxyContainer);
  const { file } = look;
  const facts =
    file === null
      ? { table: emptyTable(stack), previewKey: randomBytes(32).toString("hex"), switchedAt: "" }
      : { ...file, table: look.table ?? file.table };
  return move(look, composeFile({ ...facts, options: optionsAt(look.door, wanted) }), options);
}

/** A container that has just been made, or that Docker restarts, runs in a moment. */
async function lookWhenRunning(container: string): Promise<Look> {
  const until = performance.now() + DEADLINE_MS;
  for (;;) {
    const look = await lookAt(container);
    if (look === null) {
      throw new Error(`the proxy's container ${container} is not there, or publishes no port`);
    }
    if (look.door.running) {
      return look;
    }
    if (performance.now() > until) {
      throw new Error(`the proxy's container ${container} does not run`);
    }
    await sleep(POLL_MS * 10);
  }
}

async function move(look: Look, wanted: LiveFile, { assertHolds, deadlineMs = DEADLINE_MS }: ApplyOptions): Promise<Applied> {
  const began = performance.now();
  const { door, file } = look;
  const applied = (changed: boolean): Applied => ({ digest: wanted.digest, switchedAt: wanted.switchedAt, changed, tookMs: Math.round(performance.now() - began) });
  if (file !== null && file.text === wanted.text && look.digest === wanted.digest) {
    return applied(false);
  }
  if (!door.running) {
    throw new Error(`the proxy ${door.container} does not run`);
  }
  await assertHolds();
  await replaceConfig(door.container, wanted.text, file === null ? "" : sha256(file.text));
  if (look.digest === wanted.digest) {
    return applied(true);
  }
  try {
    await assertHolds();
    await serve(door, wanted, deadlineMs);
    return applied(true);
  } catch (error) {
    await restore(look, wanted, deadlineMs, error);
    throw error;
  }
}

/** Puts back what served before. @throws Error that tells both failures when that fails as well */
async function restore({ door, file, table }: Look, failed: LiveFile, deadlineMs: number, cause: unknown): Promise<void> {
  if (file === null) {
    return;
  }
  // A run that was killed may have left a file that was never served: what goes back is what users had.
  const back = table === null || sameTable(table, file.table) ? file : composeFile({ ...file, table });
  try {
    await replaceConfig(door.container, back.text, sha256(failed.text));
    await serve(door, back, deadlineMs);
  } catch (error) {
    throw new Error(`${inWords(cause)}; and what served before could not be put back: ${inWords(error)}`, { cause: error });
  }
}

/** Reloads, and waits until the wanted config answers at the front door. */
async function serve(door: FrontDoor, wanted: LiveFile, deadlineMs: number): Promise<void> {
  const until = performance.now() + deadlineMs;
  let signalledAt = -Infinity;
  let answers = 0;
  while (answers < ANSWERS_IN_A_ROW) {
    if (answers === 0 && performance.now() - signalledAt > SIGNAL_AGAIN_MS) {
      await reload(door.container);
      signalledAt = performance.now();
    }
    const served = await askServed(door, wanted.previewKey);
    answers = served?.digest === wanted.digest ? answers + 1 : 0;
    if (performance.now() > until) {
      throw new Error(`the proxy did not serve the new config within ${deadlineMs / 1000} s (docker logs ${door.container})`);
    }
    if (answers === 0) {
      await sleep(POLL_MS);
    }
  }
}

/** One of ours without its next step: that of the error that it becomes part of is meant. */
export function inWords(error: unknown): string {
  return error instanceof ReleaseError ? `${error.what}: ${error.why}` : messageOf(error);
}
