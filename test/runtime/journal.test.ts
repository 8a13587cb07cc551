import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { errors } from "../../components/runtime/errors.js";
import { failure, follow, openJournal, phaseReached, readEvents, readRun, rotateJournal, type JournalEvent, type NewEvent } from "../../components/runtime/journal.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { ROOT } from "../support/project.js";

const event = (phase: NewEvent["phase"], kind: NewEvent["event"], message = `${phase} ${kind}`, data?: Record<string, unknown>): JournalEvent => ({
  time: "2030-01-01T00:00:00.000Z", run: "r", phase, event: kind, message, ...(data === undefined ? {} : { data }),
});

describe("runtime/journal", () => {
  let paths: DataPaths;
  beforeEach(() => (paths = dataPaths(mkdtempSync(join(tmpdir(), "pbjrag-journal-")), "t")));
  afterEach(() => rmSync(paths.dataDir, { recursive: true, force: true }));

  it("keeps what several runs write, in order, and finds one run's events", () => {
    const now = (): Date => new Date("2030-01-01T00:00:00Z");
    const [one, two] = [openJournal(paths, { run: "one", now }), openJournal(paths, { run: "two", now })];
    one.write({ phase: "gate", event: "start", message: "a\nb" });
    two.write({ phase: "refused", event: "info", message: "c", data: { holder: "one" } });
    one.write({ phase: "gate", event: "done", message: "d" });
    assert.deepEqual(readEvents(paths).map((e) => e.message), ["a\nb", "c", "d"]);
    assert.deepEqual(readRun(paths, "two"), [{ time: "2030-01-01T00:00:00.000Z", run: "two", phase: "refused", event: "info", message: "c", data: { holder: "one" } }]);
    assert.equal(statSync(paths.journal).mode & 0o777, 0o600);
  });

  it("leaves out a line that a crash tore", () => {
    const journal = openJournal(paths, { run: "r" });
    journal.write({ phase: "gate", event: "start", message: "whole" });
    appendFileSync(paths.journal, '{"time":"2030","run":"r","pha\n"text"\n7\n');
    journal.write({ phase: "gate", event: "done", message: "after" });
    assert.deepEqual(readRun(paths, "r").map((e) => e.message), ["whole", "after"]);
  });

  it("reads one run of a journal that is larger than memory should be, and over lines that are none", () => {
    const line = `${JSON.stringify({ ...event("gate", "progress", "x".repeat(900)), run: "other" })}\n`;
    const many = line.repeat(1000);
    for (const file of [`${paths.journal}.1`, paths.journal]) {
      mkdirSync(dirname(file), { recursive: true });
      openJournal(paths, { run: "mine" }).write({ phase: "gate", event: "start", message: "before é" });
      if (file !== paths.journal) renameSync(paths.journal, file);
      for (let n = 0; n < 60; n++) appendFileSync(file, many);
      appendFileSync(file, `${"y".repeat(20 * 1024 * 1024)}\n`);
    }
    openJournal(paths, { run: "mine" }).write({ phase: "gate", event: "done", message: "after" });
    const reading = `const { readRun } = require(${JSON.stringify(join(ROOT, "dist/components/runtime/journal.js"))});
      const found = readRun(${JSON.stringify(paths)}, "mine");
      console.log(JSON.stringify([found.map((e) => e.message), process.resourceUsage().maxRSS]));`;
    const [messages, kibibytes] = JSON.parse(execFileSync(process.execPath, ["-e", reading], { encoding: "utf8" })) as [string[], number];
    assert.deepEqual(messages, ["before é", "before é", "after"]);
    assert.ok(kibibytes < 250 * 1024, `${kibibytes} KiB for two journals of 76 MB`);
  });

  it("reads nothing where there is nothing", () => {
    assert.deepEqual(readRun(paths, "r"), []);
  });

  it("does not end a release when it cannot write", () => {
    const journal = openJournal({ ...paths, journal: join(paths.run, "missing", "..", "journal") }, { run: "r" });
    renameSync(paths.run, `${paths.run}-gone`);
    journal.write({ phase: "gate", event: "start", message: "lost" });
  });

  it("sets a large journal aside and still reads it", () => {
    const journal = openJournal(paths, { run: "r" });
    journal.write({ phase: "gate", event: "start", message: "old" });
    rotateJournal(paths, 10);
    journal.write({ phase: "gate", event: "done", message: "new" });
    rotateJournal(paths);
    assert.deepEqual(readRun(paths, "r").map((e) => e.message), ["old", "new"]);
  });

  it("follows what is written from now on, also over a rotation and in pieces", () => {
    const journal = openJournal(paths, { run: "r" });
    journal.write({ phase: "gate", event: "start", message: "before" });
    const seen: string[] = [];
    const follower = follow(paths, (e) => seen.push(e.message), { run: "r", everyMs: 1_000_000 });
    openJournal(paths, { run: "other" }).write({ phase: "gate", event: "info", message: "not mine" });
    journal.write({ phase: "gate", event: "progress", message: "ä" });
    rotateJournal(paths, 10);
    journal.write({ phase: "gate", event: "done", message: "after" });
    follower.stop();
    assert.deepEqual(seen, ["ä", "after"]);
  });

  it("follows a journal that is not there yet, as it grows", async () => {
    rmSync(paths.run, { recursive: true, force: true });
    const seen: string[] = [];
    const seenTwo = new Promise<void>((resolve) => {
      const follower = follow(paths, (e) => {
        seen.push(e.message);
        if (seen.length === 2) {
          follower.stop();
          resolve();
        }
      }, { everyMs: 5 });
    });
    // The timer does not keep a process alive; something else must.
    const alive = setInterval(() => undefined, 1000);
    openJournal(paths, { run: "r" });
    const line = JSON.stringify(event("gate", "start", "one"));
    writeFileSync(paths.journal, line.slice(0, 9));
    appendFileSync(paths.journal, `${line.slice(9)}\n${JSON.stringify(event("gate", "done", "two"))}\n`);
    await seenTwo;
    clearInterval(alive);
    assert.deepEqual(seen, ["one", "two"]);
  });

  it("tells how far a run came", () => {
    assert.equal(phaseReached([event("recover", "done"), event("gate", "info")]), null);
    assert.deepEqual(phaseReached([event("backup", "start"), event("backup", "done"), event("gate", "start"), event("gate", "progress")]), { phase: "gate", event: "start" });
  });

  it("tells the failure that ended a run, with its code and exit code", () => {
    const journal = openJournal(paths, { run: "r" });
    journal.failed("gate", errors.gateFailed({ tag: "v3", revision: "v3-1", reason: "it exited", log: "" }));
    journal.failed("update", new Error("the update failed"));
    const found = failure(readRun(paths, "r"));
    assert.deepEqual([found?.phase, found?.code, found?.exitCode], ["gate", "gateFailed", 3]);
    assert.equal(failure([event("route", "failed"), event("route", "done")]), null);
    assert.deepEqual(failure([event("update", "failed", "plain")]), { phase: "update", message: "plain", code: "unexpected", exitCode: null });
  });
});
