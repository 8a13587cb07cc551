import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { notificationLog } from "../../components/notify/log.js";
import { masked } from "../../components/notify/masked.js";
import { errors } from "../../components/runtime/errors.js";
import { openJournal, readEvents } from "../../components/runtime/journal.js";
import { openReleaseLog } from "../../components/runtime/log.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";
import { readable, readableLine } from "../../components/runtime/readable.js";
import { Screen } from "../../scripts/cli/watch/screen.js";
import { eventOf } from "../notify/sample.js";
import { ROOT } from "../support/project.js";

/** What erases the line and writes another one, in both of the forms that terminals know, and what turns the reading direction. */
const FORGED = "\u001b[2K\rDONE (exit 0)\u009b1A\u202e\u0007\u007f";
const SHOWN = "\\u001b[2K\\u000dDONE (exit 0)\\u009b1A\\u202e\\u0007\\u007f";
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

describe("runtime/readable", () => {
  let paths: DataPaths;
  beforeEach(() => (paths = dataPaths(mkdtempSync(path.join(tmpdir(), "pbjrag-readable-")), "t")));
  afterEach(() => rmSync(paths.dataDir, { recursive: true, force: true }));

  it("escapes what a terminal obeys, and leaves line feeds, tabs and every script's letters", () => {
    assert.equal(readable(FORGED), SHOWN);
    const harmless = "a\tb\nc é ü 中 ع 👩‍💻 \\u001b";
    assert.equal(readable(harmless), harmless);
    assert.equal(readable("of Windows\r\nlines"), "of Windows\nlines");
  });

  it("leaves a JSON text its meaning", () => {
    const value = { name: `${FORGED}\u2028` };
    const json = readable(JSON.stringify(value, null, 2));
    assert.deepEqual([JSON.parse(json), OBEYED.test(json)], [value, false]);
  });

  it("marks what a line feed within a line begins", () => assert.equal(readableLine("docs\nDONE (exit 0)"), "docs\n  | DONE (exit 0)"));

  it("is what errors are told in, in each of their parts", () => {
    const error = errors.backupUnusable({ backup: FORGED, problems: [FORGED, `two\n${FORGED}`] });
    for (const told of [error.message, error.what, error.why, error.next, ...error.lines]) assert.equal(OBEYED.test(told), false, JSON.stringify(told));
    assert.ok(error.message.includes(SHOWN));
  });

  it("is what the logs and the journal hold, and programs get the journal's texts as they were", async () => {
    const log = openReleaseLog(paths, "deploy");
    log.write(FORGED);
    const stream = log.stream("pulumi");
    stream.end(`${FORGED}\n`);
    await once(stream, "close");
    log.close();
    openJournal(paths, { run: "r" }).write({ phase: "gate", event: "info", message: FORGED });
    notificationLog(paths, (said) => said).tell("email", eventOf({ summary: FORGED }), FORGED);
    for (const file of [log.file, paths.journal, path.join(paths.logs, "notifications.log")]) assert.equal(OBEYED.test(readFileSync(file, "utf8")), false, file);
    assert.deepEqual(readEvents(paths).map(({ message }) => message), [FORGED]);
  });

  it("is what notifiers get, and what a watch shows", () => {
    const event = masked(eventOf({ summary: FORGED, lines: [FORGED] }), (said) => said);
    assert.deepEqual([event.summary, event.lines], [SHOWN, [SHOWN]]);
    let written = "";
    const out = { write: (said: string) => ((written += said), true) } as NodeJS.WritableStream;
    new Screen("plain", () => 0, out).say(FORGED);
    assert.ok(written.endsWith(`${SHOWN}\n`), written);
  });

  it("is what a command prints of what it was given", async () => {
    const child = spawn(process.execPath, [path.join(ROOT, "dist/cli.cjs"), "deploy", `--${FORGED}`], { stdio: ["ignore", "pipe", "pipe"] });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    assert.equal(OBEYED.test(out + err), false);
    assert.ok((out + err).includes(SHOWN), out + err);
  });
});
