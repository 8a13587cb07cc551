import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Delivery, deliver } from "../../components/notify/deliver.js";
import { notificationLog } from "../../components/notify/log.js";
import { type Channel, Refused } from "../../components/notify/model.js";
import { Outbox } from "../../components/notify/outbox.js";
import { eventOf } from "./sample.js";

describe("notify/deliver", () => {
  let run: string;
  let outbox: Outbox;
  let told: string[];
  let slept: number[];
  beforeEach(() => {
    run = mkdtempSync(path.join(tmpdir(), "outbox-"));
    outbox = new Outbox({ run });
    told = [];
    slept = [];
  });
  afterEach(() => rmSync(run, { recursive: true, force: true }));

  const effects = (over: Partial<Delivery> = {}): Delivery => ({
    attempts: 3,
    now: () => new Date("2026-01-02T04:00:00Z"),
    sleep: (ms) => Promise.resolve(void slept.push(ms)),
    over: () => false,
    tell: (channel, event, reason) => told.push(`${channel} ${event.tag} ${reason}`),
    ...over,
  });
  /** Answers each try by the next of these; the last one for ever. */
  const channel = (name: Channel["name"], ...answers: (Error | null)[]): Channel & { got: string[] } => {
    const got: string[] = [];
    let at = 0;
    return { name, got, send: (event) => {
      const answer = answers[Math.min(at++, answers.length - 1)] ?? null;
      if (answer !== null) return Promise.reject(answer);
      got.push(event.tag);
      return Promise.resolve();
    } };
  };
  const put = (...tags: string[]): void => tags.forEach((tag) => outbox.put(eventOf({ tag })));

  it("sends in order, and keeps nothing that everybody has", async () => {
    put("v1", "v2");
    const [slack, email] = [channel("slack", null), channel("email", null)];
    await deliver(outbox, [slack, email], effects());
    assert.deepEqual([slack.got, email.got, outbox.isEmpty()], [["v1", "v2"], ["v1", "v2"], true]);
  });
  it("tries again with growing waits, so often and no more", async () => {
    put("v1");
    const slack = channel("slack", new Error("500"), new Error("500"), null);
    await deliver(outbox, [slack], effects());
    assert.deepEqual([slack.got, slept, told], [["v1"], [1000, 4000], ["slack v1 "]]);
  });
  it("leaves a channel that is gone alone, does not hold up the other, and sends nothing twice at the next run", async () => {
    put("v1", "v2");
    const [slack, email] = [channel("slack", new Error("gone")), channel("email", null)];
    await deliver(outbox, [slack, email], effects());
    assert.deepEqual(told.filter((line) => line.startsWith("slack")), ["slack v1 gone", "slack v2 gone"]);
    assert.equal(slept.length, 2, "only the first one was tried again");
    assert.deepEqual([email.got, outbox.list().map(({ event, sent }) => [event.tag, sent])], [["v1", "v2"], [["v1", ["email"]], ["v2", ["email"]]]]);
    const back = channel("slack", null);
    await deliver(outbox, [back, email], effects());
    assert.deepEqual([back.got, email.got, outbox.isEmpty()], [["v1", "v2"], ["v1", "v2"], true]);
  });
  it("does not repeat what was refused, and goes on with the next", async () => {
    put("v1", "v2");
    const slack = channel("slack", new Refused("404"), null);
    await deliver(outbox, [slack], effects());
    assert.deepEqual([slack.got, slept, outbox.list().map(({ event }) => event.tag)], [["v2"], [], ["v1"]]);
  });
  it("begins no try when its time is over, and says so of each", async () => {
    put("v1", "v2");
    await deliver(outbox, [channel("slack", null)], effects({ over: () => true }));
    assert.deepEqual(told, ["slack v1 there was no time left", "slack v2 there was no time left"]);
    assert.equal(outbox.list().length, 2);
  });
  it("gives up what is older than a week, and the oldest of more than 100", async () => {
    outbox.put(eventOf({ tag: "old", time: "2025-12-20T00:00:00Z" }));
    put(...Array.from({ length: 101 }, (_, at) => `v${at}`));
    await deliver(outbox, [channel("slack", new Error("gone"))], effects());
    assert.deepEqual(told.filter((line) => line.includes("given up")).map((line) => line.split(" ")[1]), ["old", "v0"]);
    assert.equal(outbox.list().length, 100);
  });
  it("keeps nothing for channels that are no longer configured, and reads past a damaged file", async () => {
    put("v1");
    writeFileSync(path.join(run, "outbox", "000000000000001-x.json"), "{");
    await deliver(outbox, [], effects());
    assert.deepEqual(readdirSync(path.join(run, "outbox")), []);
  });
  it("is for nobody else to read", () => {
    put("v1");
    const [name = ""] = readdirSync(path.join(run, "outbox"));
    assert.deepEqual([statSync(path.join(run, "outbox")).mode & 0o777, statSync(path.join(run, "outbox", name)).mode & 0o777], [0o700, 0o600]);
  });
  it("writes down what was not sent, whole and masked, a line for each", () => {
    const log = notificationLog({ logs: run, stack: "prod" }, (text) => text.replaceAll("hunter2", "***"), () => new Date("2026-01-01T00:00:00Z"));
    log.tell("slack", eventOf(), "the server said\nhunter2");
    log.tell("email", eventOf(), "");
    const [first = "", second] = readFileSync(path.join(run, "notifications.log"), "utf8").split("\n");
    assert.match(first, /^2026-01-01T00:00:00.000Z prod UNSENT {2}slack: the server said \*\*\*: \{/);
    assert.deepEqual(JSON.parse(first.slice(first.indexOf("{"))), eventOf());
    assert.equal(second, "2026-01-01T00:00:00.000Z prod sent    email: prod: v3.1.0 failed and was undone, v3.0.0 serves");
  });
});
