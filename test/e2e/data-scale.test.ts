/** Part 2's first showing, at its size: 200,000 points and 2 GiB of uploads go back and forward again. Runs only when it is named. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { randomPoints } from "../support/backup.js";
import type { Ended } from "../support/processes.js";
import { type Random, seeded } from "../support/random.js";
import { TinyStack } from "../support/tiny-stack.js";
import { ask } from "./traffic/client.js";

const SIZE = 384;
const POINTS = { code: 100_000, docs: 60_000, issues: 40_000 } as const;
const BATCH = 500;
const FILES = 64;
const FILE_MIB = 32;
const HOUR_MS = 3_600_000;

/** Each point and file by what it is. */
interface Everything {
  readonly points: Map<string, string>;
  readonly collections: string;
  readonly files: Map<string, string>;
}

describe("e2e: data at its size, back and forward again", function () {
  this.timeout(2 * HOUR_MS);
  let tiny: TinyStack;
  let random: Random;
  let then: Everything;
  let now: Everything;
  let backup: string;

  before(async () => {
    random = seeded("data");
    tiny = await TinyStack.open("scale", {
      config: { qdrant: { cpus: 2, memory: "4GiB" }, backup: { scratchCpus: 2, scratchMemory: "4GiB" }, gate: { passes: 2, interval: "500ms", deadline: "10m", requestTimeout: "30s" } },
    });
    ["v2.9.0", "v3.0.0"].forEach((tag) => tiny.commit(tag));
    await tiny.released("v2.9.0");
    await fill();
    then = await everything("0");
  });
  after(() => tiny.remove());

  async function fill(): Promise<void> {
    const qdrant = await tiny.qdrant();
    for (const [name, count] of Object.entries(POINTS)) {
      await qdrant.create(name, { size: SIZE, distance: "Cosine" });
      for (let from = 0; from < count; from += BATCH) await qdrant.upsert(name, randomPoints(random, BATCH, SIZE, from));
      await qdrant.index(name, "city", "keyword");
      await qdrant.index(name, "n", "integer");
      await qdrant.alias(`current-${name}`, name);
    }
    for (let n = 0; n < FILES; n += 1) {
      const half = (FILE_MIB * 1024 * 1024) / 2;
      await tiny.inApp(`mkdir -p /app/uploads/d && { head -c ${half} /dev/urandom; yes 'def of(a, b): return a' | head -c ${half}; } > /app/uploads/d/file${n}`);
    }
  }

  async function everything(generation: string): Promise<Everything> {
    const qdrant = await tiny.qdrant(generation);
    const points = new Map<string, string>();
    for await (const { collection, point } of qdrant.everyPoint()) points.set(`${collection} ${point.id}`, createHash("sha256").update(JSON.stringify(point)).digest("hex"));
    const files = new Map<string, string>();
    for (const line of (await tiny.inApp("cd /app/uploads && find . -type f -exec sha256sum {} +", generation, { timeoutMs: 600_000 })).trim().split("\n")) files.set(line.slice(66), line.slice(0, 64));
    const { collections, aliases } = await qdrant.dump({ points: false });
    return { points, files, collections: JSON.stringify([collections, aliases]) };
  }

  /** Told by their names: a comparison that prints 200,000 lines tells nothing. */
  function assertSame(actual: Everything, expected: Everything): void {
    for (const part of ["points", "files"] as const) {
      const other = [...expected[part]].filter(([key, value]) => actual[part].get(key) !== value).map(([key]) => key);
      assert.deepEqual([actual[part].size, other.slice(0, 5)], [expected[part].size, []], part);
    }
    assert.deepEqual(JSON.parse(actual.collections), JSON.parse(expected.collections));
  }

  /** Uploads through the front door all the time. @returns how many were refused */
  async function whileWriting(command: Promise<Ended>): Promise<{ ended: Ended; sent: number; refused: number }> {
    let over = false;
    void command.finally(() => (over = true)).catch(() => undefined);
    let [sent, refused] = [0, 0];
    while (!over) {
      const { status } = await ask(`${tiny.project.url}/upload`, { method: "PUT", body: "x", timeoutMs: 30_000 });
      sent += 1;
      assert.ok(status === 200 || status === 503, `an upload was answered with ${status}`);
      if (status === 503) refused += 1;
      await delay(50);
    }
    return { ended: await command, sent, refused };
  }

  /** What the CLI says of it, for whoever reads the test's output. */
  function show(what: string, ended: Ended, tookMs: number, written: { sent: number; refused: number }): void {
    const lines = ended.stdout.split("\n").filter((line) => /paused|MiB|GiB|added|points/.test(line));
    process.stdout.write(`      ${what} took ${Math.round(tookMs / 1000)} s; ${written.sent} uploads sent meanwhile, ${written.refused} refused\n${lines.map((line) => `      | ${line}\n`).join("")}`);
  }

  it("releases v3.0.0 with a proven backup of all of it, and users write and delete", async () => {
    const began = performance.now();
    const ended = await tiny.released("v3.0.0");
    show("the deploy", ended, performance.now() - began, { sent: 0, refused: 0 });
    [backup = ""] = tiny.backups();
    const qdrant = await tiny.qdrant();
    await qdrant.upsert("code", randomPoints(random, BATCH, SIZE, POINTS.code - BATCH / 2));
    await qdrant.send("POST", "/collections/docs/points/delete?wait=true", { points: Array.from({ length: 300 }, (_, n) => n * 7) });
    await tiny.inApp("cd /app/uploads && printf later > later && printf changed >> d/file3 && rm d/file5");
    now = await everything("0");
  });

  it("goes back: every point, payload, vector, alias, index and file as before, every page served", async () => {
    tiny.startProbes({ uploads: false });
    const began = performance.now();
    const written = await whileWriting(tiny.project.script("rollback", ["--with-data", "--yes"], { timeoutMs: HOUR_MS }));
    assert.equal(written.ended.exitCode, 0, written.ended.all);
    await tiny.answered("v2.9.0", "v3.0.0");
    show("the rollback", written.ended, performance.now() - began, written);
    assert.match(written.ended.all, /collection code: 250 points added, at least 250 changed, 0 deleted/);
    assert.match(written.ended.all, /collection docs: 0 points added, no change seen, 300 deleted/);
    assert.match(written.ended.all, /uploads: 1 file added, 1 changed, 1 deleted/);
    const told = /writes were paused for \d+ ms: \d+ websockets? closed, at least (\d+) requests? refused/.exec(written.ended.stdout);
    assert.ok(Number(told?.[1]) >= written.refused, written.ended.all);
    assertSame(await everything(backup), then);
  });

  it("goes forward again: every later write is back as well", async () => {
    tiny.startProbes({ uploads: false });
    const began = performance.now();
    const written = await whileWriting(tiny.project.script("rollback", ["v3.0.0", "--generation", "0", "--yes"], { timeoutMs: HOUR_MS }));
    assert.equal(written.ended.exitCode, 0, written.ended.all);
    await tiny.answered("v2.9.0", "v3.0.0");
    show("the way forward", written.ended, performance.now() - began, written);
    assertSame(await everything("0"), now);
  });
});
