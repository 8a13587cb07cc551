import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { nothingKept, writeKept } from "../../../components/metrics/kept.js";
import type { Receipt } from "../../../components/receipt/model.js";
import { dataPaths, type DataPaths } from "../../../components/runtime/paths.js";
import { withMet, type WatchState, writeWatch } from "../../../components/watch/state.js";
import { noteKilledWatch, noteWatch } from "../../../scripts/cli/receipt/watched.js";
import { pageBeside, storedReceipts, storeReceipt } from "../../../scripts/cli/receipt/store.js";
import { released } from "../../receipt/receipts.js";
import { REVISION, slots, T0, traffic, watchOf } from "../../watch/world.js";

const plain = (text: string): string => text;
const NOW = T0 + 1_200_000;

describe("scripts/receipt: what a watch has seen", () => {
  const dockerHost = process.env.DOCKER_HOST;
  let dir: string;
  let paths: DataPaths;
  const ws = (): { paths: DataPaths; stack: string } => ({ paths, stack: "dev" });

  before(() => { process.env.DOCKER_HOST = "unix:///nonexistent/docker.sock"; });
  after(() => {
    if (dockerHost === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = dockerHost;
  });
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "pbjrag-watched-"));
    paths = dataPaths(".", "dev", dir);
    mkdirSync(paths.run, { recursive: true });
    const seen = slots(20, () => ({ traffic: traffic(100, 6, [20, 30]) }));
    writeKept(paths, { ...nothingKept(T0, "1"), at: NOW, slots: seen });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** @param minutes before the watch began */
  function store(minutes: number, of: Partial<Receipt> = {}): void {
    const startedAt = new Date(T0 - minutes * 60_000).toISOString();
    storeReceipt(paths, { ...released(), tag: "v3.0.0", revision: REVISION, run: `deploy-${minutes}`, startedAt, ...of });
  }
  const ended: WatchState = {
    ...withMet(watchOf(), [{ rule: "errors", action: "rollback", what: "6 % of 12000 requests failed in 5m (key=hunter2)" }], new Date(NOW).toISOString()).state,
    state: "ended", exitCode: 3, ending: "v3.0.0 was rolled back",
  };
  const watches = (): [string, string | undefined][] => storedReceipts(paths).map(({ receipt: { run, watch } }) => [run, watch?.triggered?.what ?? watch?.state]);

  it("is put into the receipt of the run that made its release serve, and onto its page, with secrets masked", async () => {
    store(90);
    store(10);
    store(5, { outcome: { ...released().outcome, exitCode: 3 } });
    store(4, { revision: "v2.9.0-8488f628" });
    store(-10);
    await noteWatch(ws(), ended, NOW, (text) => text.replaceAll("hunter2", "***"));
    const what = "6 % of 12000 requests failed in 5m (key=***)";
    assert.deepEqual(watches(), [["deploy-90", undefined], ["deploy-10", what], ["deploy-5", undefined], ["deploy-4", undefined], ["deploy--10", undefined]]);
    const [, stored] = storedReceipts(paths);
    assert.equal(stored?.receipt.watch?.samples.length, 120);
    assert.match(stored?.receipt.watch?.traffic.measured === false ? stored.receipt.watch.traffic.why : "", /the proxy's log could not be read/);
    assert.ok(readFileSync(pageBeside(stored?.json ?? ""), "utf8").includes(what));
  });

  it("is nobody's where no receipt tells of its release", async () => {
    store(10, { revision: "v2.9.0-8488f628" });
    await noteWatch(ws(), ended, NOW, plain);
    assert.deepEqual(watches(), [["deploy-10", undefined]]);
  });

  it("of one that was killed is put there by the next command, once, up to its last look", async () => {
    store(10);
    writeWatch(paths, { ...watchOf(), pid: 2 ** 22 + 1 });
    await noteKilledWatch(ws(), plain);
    const [stored] = storedReceipts(paths);
    assert.deepEqual([stored?.receipt.watch?.state, stored?.receipt.watch?.endedAt], ["open", new Date(NOW).toISOString()]);
    rmSync(pageBeside(stored?.json ?? ""));
    await noteKilledWatch(ws(), plain);
    assert.throws(() => readFileSync(pageBeside(stored?.json ?? "")), /ENOENT/, "it was written again");
  });

  it("of one that runs, or has ended by itself, is left to it", async () => {
    store(10);
    for (const state of [watchOf(), { ...ended, pid: 2 ** 22 + 1 }]) {
      writeWatch(paths, state);
      await noteKilledWatch(ws(), plain);
    }
    assert.deepEqual(watches(), [["deploy-10", undefined]]);
  });
});
