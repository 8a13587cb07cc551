import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openJournal, type Journal } from "../../components/runtime/journal.js";
import { type DataPaths, dataPaths } from "../../components/runtime/paths.js";
import { onStopWord } from "../../components/runtime/stop-word.js";
import { waitFor } from "../support/wait.js";

describe("a command's word to its steps", () => {
  let dir: string;
  let paths: DataPaths;
  let journal: Journal;
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "stop-word-"));
    paths = dataPaths(".", "s", dir);
    journal = openJournal(paths, { run: "run" });
    journal.write({ phase: "update", event: "start", message: "" });
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const heard = (run = "run"): { count: number; end(): void } => {
    const state = { count: 0, end: () => word.end() };
    const word = onStopWord(paths, run, () => { state.count += 1; });
    return state;
  };
  const interrupt = (): void => journal.write({ phase: "interrupt", event: "info", message: "SIGINT" });

  it("is heard while the step is under way, by the steps of that run alone", async () => {
    const [own, other] = [heard(), heard("other")];
    interrupt();
    await waitFor("the word", () => own.count === 1);
    own.end();
    other.end();
    assert.equal(other.count, 0);
  });

  it("is heard by a step that begins after it", () => {
    interrupt();
    const step = heard();
    step.end();
    assert.equal(step.count, 1);
  });

  it("is over with its update: what puts things right is not stopped by it", () => {
    interrupt();
    journal.write({ phase: "update", event: "failed", message: "" });
    journal.write({ phase: "update", event: "start", message: "" });
    const step = heard();
    step.end();
    assert.equal(step.count, 0);
  });
});
