/** One pass over what is to be sent. Its effects are handed in. */
import { messageOf } from "../runtime/errors.js";
import { type Channel, type NotifyEvent, Refused } from "./model.js";
import type { Item, Outbox } from "./outbox.js";

/** An event that could not be sent for so long is of no use to anybody any more. Milliseconds. */
const KEPT_MS = 7 * 24 * 3_600_000;
/** The oldest of more than so many are given up. */
const KEPT = 100;
/** Milliseconds before a second try, a third, … */
const WAITS = [1000, 4000, 15_000];

export interface Delivery {
  /** Tries in a row. */
  attempts: number;
  now(): Date;
  sleep(ms: number): Promise<void>;
  /** True when no try may begin any more. */
  over(): boolean;
  /** What became of an event: `reason` is "" where it was sent. */
  tell(channel: string, event: NotifyEvent, reason: string): void;
}

/**
 * Sends what each channel does not have yet, oldest first, each channel at its own pace. A channel that does not answer is left alone for
 * the rest of the pass; what it lacks stays.
 * @returns names of the files that were looked at
 */
export async function deliver(outbox: Outbox, channels: readonly Channel[], delivery: Delivery): Promise<Set<string>> {
  const all = outbox.list();
  const dropped = new Set(all.filter(({ event }, at) => at < all.length - KEPT || delivery.now().getTime() - Date.parse(event.time) > KEPT_MS));
  for (const item of dropped) {
    channels.filter(({ name }) => !item.sent.includes(name)).forEach(({ name }) => delivery.tell(name, item.event, "given up: it is too old, or there are too many"));
    outbox.remove(item.name);
  }
  const items = all.filter((item) => !dropped.has(item));
  await Promise.all(channels.map((channel) => deliverTo(channel, items, outbox, delivery)));
  for (const { name, sent } of outbox.list()) {
    if (items.some((item) => item.name === name) && channels.every((channel) => sent.includes(channel.name))) outbox.remove(name);
  }
  return new Set(all.map(({ name }) => name));
}

async function deliverTo(channel: Channel, items: readonly Item[], outbox: Outbox, delivery: Delivery): Promise<void> {
  let down = "";
  for (const item of items.filter(({ sent }) => !sent.includes(channel.name))) {
    if (down === "" && delivery.over()) down = "there was no time left";
    const failure = down === "" ? await tryOften(channel, item.event, delivery) : { reason: down, refused: false };
    delivery.tell(channel.name, item.event, failure?.reason ?? "");
    if (failure === null) outbox.sent(item, channel.name);
    else if (!failure.refused) down = failure.reason;
  }
}

/** Null: it was sent. */
async function tryOften(channel: Channel, event: NotifyEvent, delivery: Delivery): Promise<{ reason: string; refused: boolean } | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      await channel.send(event);
      return null;
    } catch (error) {
      const refused = error instanceof Refused;
      if (refused || attempt >= delivery.attempts || delivery.over()) return { reason: messageOf(error), refused };
    }
    await delivery.sleep(WAITS[Math.min(attempt, WAITS.length) - 1] ?? 0);
  }
}
