import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Receipt } from "../../../components/receipt/model.js";
import { dataPaths, type DataPaths } from "../../../components/runtime/paths.js";
import { entriesOf, findReceipt, linesOf } from "../../../scripts/cli/history/entries.js";
import { openPage } from "../../../scripts/cli/history/open.js";
import { pageBeside, type Stored, storeReceipt } from "../../../scripts/cli/receipt/store.js";
import { failed, released, rolledBack } from "../../receipt/receipts.js";
import { waitFor } from "../../support/wait.js";

const at = (minute: number): Partial<Receipt> => ({ startedAt: `2026-11-25T04:${String(minute).padStart(2, "0")}:00.000Z`, run: `run-${minute}` });
const of = (receipt: Receipt, more: Partial<Receipt>): Stored => ({ receipt: { ...receipt, ...more }, json: `/data/reports/prod/20261125-04${more.startedAt?.slice(14, 16)}00-${receipt.tag}.json` });
const record = (seq: number, tag: string, revision: string, outcome: "released" | "abandoned" = "released"): Parameters<typeof entriesOf>[1][number] =>
  ({ seq, tag, revision, kind: "deploy", outcome, switchedAt: `2026-11-25T03:0${seq}:00.000Z` });

const [good, bad, back] = [of(released(), at(10)), of(failed(), at(20)), of(rolledBack(), { ...at(30), seq: 3 })];
const ledger = [record(1, "v2.9.0", "v2.9.0-8488f628"), record(2, "v3.0.0", good.receipt.revision, "abandoned"), record(3, "v2.9.0", back.receipt.revision)];

describe("scripts/history: what is listed", () => {
  const entries = entriesOf([good, bad, back], ledger);

  it("is each run with a receipt and each release without one, the newest first", () => {
    assert.deepEqual(entries.map(({ tag, outcome, exitCode, serves, seq, receipt }) => [tag, outcome, exitCode, serves, seq, receipt !== null]), [
      ["v2.9.0", "Rolled back", 0, true, 3, true],
      ["v3.1.0", "Failed, undone", 3, false, null, true],
      ["v3.0.0", "Released, left since", 0, false, 2, true],
      ["v2.9.0", "No receipt", null, false, 1, false],
    ]);
  });

  it("takes no receipt for another release's that has its number", () => {
    const lost = entriesOf([good], [record(2, "v5.0.0", "v5.0.0-00000000")]);
    assert.deepEqual(lost.map(({ tag, serves, receipt }) => [tag, serves, receipt !== null]), [["v3.0.0", false, true], ["v5.0.0", true, false]]);
  });

  it("is a table for people, in their own time", () => {
    assert.deepEqual(linesOf(entries, (json) => path.basename(json), Date.parse("2026-11-25T05:00:00Z")), [
      "  began             age         command   tag     outcome               took    failed  receipt",
      "* 2026-11-25 04:30  30 minutes  rollback  v2.9.0  Rolled back           20.0 s  2       20261125-043000-v2.9.0.json",
      "  2026-11-25 04:20  40 minutes  deploy    v3.1.0  Failed, undone        40.0 s  0       20261125-042000-v3.1.0.json",
      "  2026-11-25 04:10  50 minutes  deploy    v3.0.0  Released, left since  20.0 s  0       20261125-041000-v3.0.0.json",
      "  2026-11-25 03:01  1 hour      deploy    v2.9.0  No receipt            -       -       -",
    ]);
  });
});

describe("scripts/history: which one is opened", () => {
  const all = [good, bad, of(released(), at(40))];
  const found = (which?: string): string => path.basename(findReceipt(all, which)?.json ?? "none");

  it("is the newest of its tag, that of its time, or the newest of all", () => {
    assert.deepEqual([found("v3.0.0"), found("v3.1.0"), found("20261125-041000"), found("20261125-041000-v3.0.0.html"), found("reports/prod/20261125-041000-v3.0.0.json"), found()], [
      "20261125-044000-v3.0.0.json", "20261125-042000-v3.1.0.json", "20261125-041000-v3.0.0.json", "20261125-041000-v3.0.0.json", "20261125-041000-v3.0.0.json", "20261125-044000-v3.0.0.json",
    ]);
    assert.deepEqual([found("v3"), found("2026"), found("")], ["none", "none", "none"]);
  });
});

describe("scripts/history: opening a page", () => {
  const { DISPLAY, PATH, WAYLAND_DISPLAY } = process.env;
  let dir: string;
  let paths: DataPaths;

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "pbjrag-history-"));
    paths = dataPaths(".", "dev", dir);
    delete process.env.DISPLAY;
    delete process.env.WAYLAND_DISPLAY;
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
    for (const [name, value] of Object.entries({ DISPLAY, PATH, WAYLAND_DISPLAY })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it("writes the page that a receipt lacks, and only says where it lies without a display", async () => {
    const { json } = storeReceipt(paths, released());
    assert.equal((await openPage({ paths, stack: "dev" }, "v3.0.0", false)).exitCode, 0);
    assert.ok(existsSync(pageBeside(json)));
  });

  it("hands its address to the desktop where there is one", async () => {
    const { json } = storeReceipt(paths, released());
    writeFileSync(path.join(dir, "xdg-open"), `#!/bin/sh\necho "$1" >'${dir}/got'\n`, { mode: 0o755 });
    process.env.PATH = `${dir}:${PATH ?? ""}`;
    process.env.DISPLAY = ":0";
    await openPage({ paths, stack: "dev" }, undefined, false);
    const got = (): string => (existsSync(path.join(dir, "got")) ? readFileSync(path.join(dir, "got"), "utf8") : "");
    assert.equal(await waitFor("the address", () => got().includes("\n") && got()), `${pathToFileURL(pageBeside(json)).href}\n`);
  });

  it("is refused where there is no such receipt", async () => {
    await assert.rejects(openPage({ paths, stack: "dev" }, "v9.9.9", false), /stack dev has no receipt "v9\.9\.9"/);
    await assert.rejects(openPage({ paths, stack: "dev" }, undefined, false), /stack dev has no receipt\. Next/);
  });
});
