/** A warm rollback by its command, while one client holds thousands of connections at the users' entrance. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { connect as dial, type Socket } from "node:net";
import { readLive } from "../../components/traffic/live.js";
import { FRONT_PORT } from "../../components/traffic/model.js";
import { TinyStack } from "../support/tiny-stack.js";
import { waitFor } from "../support/wait.js";
import { ask, PAGE } from "./traffic/client.js";

const HELD = 4100;
/** Milliseconds from the command's first word about the move until users are answered, on a machine where a bare node process takes BARE_MS. */
const WITHIN_MS = 1000;
const BARE_MS = 65;

/** Asks for the page all the time, until told to end: from a container, whose address is its own. Prints failures and the longest wait. */
const USER = `import os, sys, time, http.client
failed, longest, asked = 0, 0.0, 0
while not os.path.exists("/app/uploads/enough"):
    began = time.monotonic(); asked += 1
    try:
        c = http.client.HTTPConnection(sys.argv[1], 8080, timeout=5); c.request("GET", "/?u", headers={"Accept": "text/html"})
        if c.getresponse().status != 200: failed += 1
        c.close()
    except Exception: failed += 1
    longest = max(longest, time.monotonic() - began); time.sleep(0.05)
print(asked, failed, round(longest * 1000))`;

describe("e2e: a warm rollback beside held connections", function () {
  this.timeout(240_000);
  let tiny: TinyStack;
  const held: Socket[] = [];

  before(async () => {
    tiny = await TinyStack.open("held");
    for (const tag of ["v1.0.0", "v2.0.0"]) {
      tiny.commit(tag);
      await tiny.released(tag);
    }
  });
  after(async () => {
    for (const socket of held) socket.destroy();
    await tiny?.remove();
  });

  /**
   * Connections whose request's head has begun and does not end, from this host, whose share has no limit. They go to the container's own
   * address: docker-proxy, which passes on what comes over loopback, has six open files for each.
   */
  async function hold(host: string): Promise<void> {
    const one = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const socket = dial(FRONT_PORT, host, () => socket.write("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", () => resolve()));
        socket.on("error", reject).resume();
        held.push(socket);
      });
    for (let at = 0; at < HELD; at += 100) await Promise.all(Array.from({ length: 100 }, one));
  }

  it("users are answered by the former release within a second of its move, and users of other sources all the time", async () => {
    const host = new URL((await readLive(tiny.project.stack))?.controlUrl ?? assert.fail("no live proxy")).hostname;
    const began = performance.now();
    spawnSync(process.execPath, ["-e", "0"]);
    const slowness = Math.max(1, (performance.now() - began) / BARE_MS);
    await hold(host);
    const user = tiny.inApp(`python3 -c '${USER}' ${host}`, "0", { timeoutMs: 120_000 });
    const seen = tiny.project.journal().length;
    const back = waitFor("the former release to answer", async () => (await ask(`${tiny.project.url}/`, { headers: PAGE })).by === "v1.0.0" && Date.now(), { withinMs: 60_000, everyMs: 5 });
    const ended = await tiny.project.script("rollback", ["--yes"]);
    await tiny.inApp("touch /app/uploads/enough");
    assert.equal(ended.exitCode, 0, ended.all);
    const start = tiny.project.journal().slice(seen).find(({ phase, event }) => phase === "warm" && event === "start") ?? assert.fail("the former release was not warm");
    const tookMs = (await back) - Date.parse(start.time);
    const [asked = 0, failed, longestMs] = (await user).trim().split(" ").map(Number);
    process.stdout.write(`    answered after ${tookMs} ms (a bare process: ${Math.round(slowness * BARE_MS)} ms) beside ${HELD} held connections; ${asked} requests of another source, ${failed} failed, ${longestMs} ms at most\n`);
    assert.ok(tookMs < WITHIN_MS * slowness, `${tookMs} ms`);
    assert.ok(asked > 20);
    assert.equal(failed, 0);
  });
});
