import { randomBytes } from "node:crypto";
import path from "node:path";
import { channelsOf } from "../../../components/notify/channels.js";
import { deliver } from "../../../components/notify/deliver.js";
import { notificationLog } from "../../../components/notify/log.js";
import { masked } from "../../../components/notify/masked.js";
import type { Channel } from "../../../components/notify/model.js";
import { Outbox } from "../../../components/notify/outbox.js";
import { messageOf, ReleaseError } from "../../../components/runtime/errors.js";
import { acquire, type HeldLock } from "../../../components/runtime/lock.js";
import type { DataPaths } from "../../../components/runtime/paths.js";
import { standBack } from "../../../components/runtime/priority.js";
import { createRedactor, type Redactor } from "../../../components/runtime/redact.js";
import { loadSettings } from "../../../components/settings/load.js";
import type { Settings } from "../../../components/settings/schema.js";
import { Engine } from "../engine.js";
import { secretsOf } from "../secrets.js";
import { openWorkspace, type Workspace } from "../workspace.js";

/** Milliseconds after which no try begins any more, and after which the process ends whatever it does. */
const ENOUGH_MS = 5 * 60_000;
const END_MS = 10 * 60_000;
/** Characters of a path that is nobody's secret. */
const SHORT_PATH = 8;

/**
 * The process that sends what is in a stack's outbox, apart from any release. One at a time; what is put there meanwhile is seen by who
 * holds the lock when it lets go.
 */
async function main(stack: string): Promise<void> {
  setTimeout(() => process.exit(1), END_MS).unref();
  standBack();
  const ws = openWorkspace(process.cwd(), stack);
  const outbox = new Outbox(ws.paths);
  const seen = new Set<string>();
  do {
    const lock = await mine(ws.paths);
    if (lock === null) return;
    try {
      (await pass(ws, outbox)).forEach((name) => seen.add(name));
    } finally {
      await lock.release();
    }
  } while (outbox.list().some(({ name }) => !seen.has(name)));
}

/** Null while another one sends. */
async function mine(paths: DataPaths): Promise<HeldLock | null> {
  try {
    return await acquire({ paths: { ...paths, lock: path.join(paths.run, "outbox-lock") }, run: `notify-${randomBytes(4).toString("hex")}`, command: "notify" });
  } catch (error) {
    if (error instanceof ReleaseError && error.code === "lockHeld") return null;
    throw error;
  }
}

async function pass(ws: Workspace, outbox: Outbox): Promise<Set<string>> {
  try {
    const { notify, redact } = await configured(ws);
    const channels = (await channelsOf(notify, ws.projectDir)).map((channel) => masking(channel, redact));
    const until = performance.now() + ENOUGH_MS;
    return await deliver(outbox, channels, {
      attempts: notify.attempts,
      now: () => new Date(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      over: () => performance.now() > until,
      tell: (channel, event, reason) => notificationLog(ws.paths, redact).tell(channel, masked(event, redact), reason),
    });
  } catch (error) {
    const items = outbox.list();
    // Of an error's words only those that were written for people: they hold no secret.
    const why = error instanceof ReleaseError ? messageOf(error) : "the sender failed";
    items.forEach(({ event }) => notificationLog(ws.paths, (text) => text).tell("all", event, why));
    return new Set(items.map(({ name }) => name));
  }
}

function masking(channel: Channel, redact: Redactor): Channel {
  return { name: channel.name, send: (event) => channel.send(masked(event, redact)) };
}

/** What the stack's config says of notifiers, secrets in it, and a mask for all its secrets. */
async function configured(ws: Workspace): Promise<{ notify: Settings["notify"]; redact: Redactor }> {
  const engine = new Engine(ws, {}, null);
  const secrets = await secretsOf(ws, engine);
  const text = JSON.stringify((await engine.shownConfig())["pbjrag:notify"]?.objectValue ?? {});
  const loaded = loadSettings({ stack: ws.stack, config: { "pbjrag:version": "v0.0.0", "pbjrag:source": ".", "pbjrag:notify": text } });
  if ("problems" in loaded) throw new ReleaseError({ code: "refused", exitCode: 2, what: "The notifiers are not as they must be", why: loaded.problems.map(({ subject, what }) => `${subject} ${what}`).join("; "), next: "correct them with pulumi config set" });
  const { notify } = loaded.settings;
  // An error may name the address without its host.
  const webhook = notify.slackWebhook === undefined ? [] : [new URL(notify.slackWebhook).pathname].filter((pathname) => pathname.length > SHORT_PATH);
  return { notify, redact: createRedactor([...secrets, ...webhook]) };
}

main(process.argv[2] ?? "").then(
  () => process.exit(0),
  () => process.exit(1),
);
