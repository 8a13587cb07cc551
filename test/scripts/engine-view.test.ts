import assert from "node:assert/strict";
import type { NewEvent } from "../../components/runtime/journal.js";
import { parseEngineLine } from "../../scripts/cli/engine-lines.js";
import { EngineView } from "../../scripts/cli/engine-view.js";
import { linesOf } from "../../scripts/cli/failure.js";
import { Progress } from "../../scripts/cli/progress.js";

const IMAGE = " +  docker:index:Image image-v3.0.0-c2efaa7a2226";

/** A view with a clock of its own, and all that it has shown and told. */
class Watcher {
  clock = 0;
  readonly view: EngineView;
  readonly shown: string[] = [];
  readonly events: NewEvent[] = [];

  constructor(mode: "preview" | "update") {
    this.view = new EngineView(mode, () => this.clock);
  }

  take(...lines: string[]): this {
    for (const line of lines) {
      const { show, events } = this.view.take(line);
      this.shown.push(...show);
      this.events.push(...events);
    }
    return this;
  }

  get phases(): string[] {
    return this.events.map(({ phase, event }) => `${phase} ${event}`);
  }
}

describe("scripts/engine-lines", () => {
  it("reads what Pulumi writes", () => {
    const step = { kind: "step", type: "docker:index:Image", name: "image-v3.0.0-c2efaa7a2226", seconds: "", detail: "" };
    for (const [line, expected] of [
      [`${IMAGE} create`, { ...step, mark: "+", words: "create" }],
      [`${IMAGE} creating (0.63s) Step 7/13 : RUN pip (x)`, { ...step, mark: "+", words: "creating", seconds: "0.63", detail: "Step 7/13 : RUN pip (x)" }],
      [`${IMAGE} **creating failed**`, { ...step, mark: "+", words: "creating failed" }],
      [" -  docker:index:Image image-v3.0.0-c2efaa7a2226 deleted (0.01s) [retain]", { ...step, mark: "-", words: "deleted", seconds: "0.01", detail: "[retain]" }],
      // As the real CLI (3.260) writes a deletion that keeps the object, and its sums of what was said.
      [" -  docker:index:Image image-v3.0.0-c2efaa7a2226 deleting (0s)[retain]", { ...step, mark: "-", words: "deleting", seconds: "0", detail: "[retain]" }],
      ["    pulumi:pulumi:Stack pbjrag-dev  1 warning; 2 messages", { kind: "none" }],
      [" +  pulumi:pulumi:Stack pbjrag-dev created (12s) 3 warnings", { ...step, type: "pulumi:pulumi:Stack", name: "pbjrag-dev", mark: "+", words: "created", seconds: "12" }],
      [" ++ docker:index:Container proxy creating replacement (0s)", { ...step, type: "docker:index:Container", name: "proxy", mark: "++", words: "creating replacement", seconds: "0" }],
      [" ~  pulumi-nodejs:dynamic/pbjrag:Route route update [diff: ~table]", { ...step, type: "pulumi-nodejs:dynamic/pbjrag:Route", name: "route", mark: "~", words: "update", detail: "[diff: ~table]" }],
      ["    pulumi:pulumi:Stack pbjrag-dev running warning: ROLLBACK v3 -> v2", { kind: "message", name: "pbjrag-dev", severity: "warning", text: "ROLLBACK v3 -> v2" }],
      ["Previewing update (dev):", { kind: "heading", title: "Previewing", rest: "" }],
      ["Duration: 19s", { kind: "heading", title: "Duration", rest: "19s" }],
      ["    + 6 to create", { kind: "text", text: "    + 6 to create" }],
      ["\u001b[91mred\u001b[0m", { kind: "text", text: "red" }],
      ["@ updating....", { kind: "none" }],
      ["  ", { kind: "none" }],
    ] as const) assert.deepEqual(parseEngineLine(line), expected, line);
  });
});

describe("scripts/engine-view", () => {
  it("of a preview shows warnings, operations, what the program has to say, and the sum", () => {
    const watcher = new Watcher("preview").take(
      "Previewing update (dev):", "",
      " >  pulumi:pulumi:StackReference self read",
      "    pulumi:pulumi:Stack pbjrag-dev running at the peak of this update   cores",
      "    pulumi:pulumi:Stack pbjrag-dev running warning: ROLLBACK v3.0.0 -> v2.9.0",
      ` -  docker:index:Image image-v2.9.0-d69c6120583b delete [retain]`,
      "Diagnostics:", "  pulumi:pulumi:Stack (pbjrag-dev):", "    at the peak of this update   cores", "    together                         6", "    warning: ROLLBACK v3.0.0 -> v2.9.0", "",
      "Resources:", "    + 6 to create", "    - 1 to delete", "    7 changes. 14 unchanged", "",
    );
    assert.deepEqual(watcher.shown, [
      "!  ROLLBACK v3.0.0 -> v2.9.0",
      "-  docker:index:Image image-v2.9.0-d69c6120583b delete [retain]",
      "at the peak of this update   cores",
      "together                         6",
    ]);
    assert.equal(watcher.view.sum(), "+ 6 to create, - 1 to delete, 14 unchanged");
    assert.deepEqual(watcher.events, []);
  });

  it("of a preview's diagnostics hides what was shown before, and of an error all that follows", () => {
    const head = ["Diagnostics:", "  pulumi:pulumi:Stack (pbjrag-dev):"];
    const warned = new Watcher("preview").take(...head, "    warning: ROLLBACK v3.0.0 -> v2.9.0", "    at the peak", "    the ledger gets release 3");
    assert.deepEqual(warned.shown, ["at the peak", "the ledger gets release 3"]);
    const refused = new Watcher("preview").take(...head, "    at the peak", "    error: refused, nothing was touched:", "      - tag: v9 is no tag");
    assert.deepEqual(refused.shown, ["at the peak"]);
  });

  it("of an update shows what no handler tells, and the log keeps the rest", () => {
    const watcher = new Watcher("update").take(
      "Updating (dev):",
      "    pulumi:pulumi:Stack pbjrag-dev running warning: removes the containers of v2.8.0",
      " +  command:local:Command backup-before-v3.0.0 creating (1s) backup: to save: Qdrant 0.2 MiB",
      " +  command:local:Command backup-before-v3.0.0 created (6s)",
      " +  pbjrag:app:Revision app-v3.0.0-dbea36f4 created (0.00s)",
      " +  docker:index:Container app-v3.0.0-dbea36f4-1 creating (0s)",
      " +  docker:index:Container app-v3.0.0-dbea36f4-2 creating (0s)",
      " +  docker:index:Container app-v3.0.0-dbea36f4-2 created (1s)",
      " +  docker:index:Container app-v3.0.0-dbea36f4-1 **creating failed**",
      " +  pulumi-nodejs:dynamic/pbjrag:Gate gate-v3.0.0-dbea36f4 creating (0s)",
      " -  docker:index:Container app-v2.8.0-c9d24fdd-1 deleted (0.41s)",
      "Resources:", "    + 6 created", "Duration: 19s",
    );
    assert.deepEqual(watcher.shown, [
      "+  container app-v3.0.0-dbea36f4-2 created (1 s)", "+  container app-v3.0.0-dbea36f4-1 creating failed", "-  container app-v2.8.0-c9d24fdd-1 deleted (0.41 s)",
    ]);
    assert.deepEqual(watcher.phases, ["start start", "start done"]);
    assert.equal(watcher.events[0]?.message, "starting v3.0.0-dbea36f4");
    assert.equal(watcher.view.sum(), "+ 6 created, 19s");
  });

  it("of a build shows the steps, not what they print", () => {
    const watcher = new Watcher("update").take(`${IMAGE} creating (0s)`, `${IMAGE} creating (0.1s) Step 1/3 : FROM python:3.11-slim`);
    for (let line = 0; line < 500; line += 1) watcher.take(`${IMAGE} creating (2s) Collecting package ${line}`);
    watcher.take(`${IMAGE} creating (2s) Step 2/3 : WORKDIR /app`);
    watcher.clock = 3000;
    watcher.take(`${IMAGE} creating (3s) #9 [3/3] RUN pip install   -r x`, `${IMAGE} created (4s)`);
    assert.deepEqual(watcher.shown, ["   step 1 of 3: FROM python:3.11-slim", "   step 3 of 3: RUN pip install -r x"]);
    assert.deepEqual(watcher.phases, ["image start", "image done"]);
  });

  it("keeps a failed build's last words, and whose error it was", () => {
    const error = "error reading build output: The command '/bin/sh -c make' returned a non-zero code: 3";
    const watcher = new Watcher("update").take(
      `${IMAGE} creating (0s)`, ...Array.from({ length: 9 }, (_, line) => `${IMAGE} creating (2s) line ${line}`), `${IMAGE} creating (2s) \u001b[91mfatal: no wheel`,
      `${IMAGE} creating (2s) ---> Running in 20c6b45bf332`, `${IMAGE} **creating failed**`,
      `    docker:index:Image image-v3.0.0-c2efaa7a2226 running error: ${error}`, "    pulumi:pulumi:Stack pbjrag-dev running error: update failed",
      "Diagnostics:", "  docker:index:Image (image-v3.0.0-c2efaa7a2226):", `    error: ${error}`, "    line 0", "Resources:", "    2 errored",
    );
    assert.deepEqual(watcher.shown, []);
    assert.deepEqual(watcher.view.problems, [error]);
    const failed = watcher.events.at(-1);
    assert.equal(`${failed?.phase} ${failed?.event}`, "image failed");
    assert.equal(failed?.data?.["why"], "The command '/bin/sh -c make' returned a non-zero code: 3");
    assert.deepEqual(failed?.data?.["lines"], ["line 4", "line 5", "line 6", "line 7", "line 8", "fatal: no wheel"]);
  });

  it("keeps the lines that an error announces: a provider in Go says the error there", () => {
    const { problems } = new Watcher("update").take(
      " ++ docker:index:Container proxy **creating failed** [diff: ~ports]", "    docker:index:Container proxy running error: 1 error occurred:",
      "    pulumi:pulumi:Stack pbjrag-dev running error: update failed",
      "Diagnostics:", "  pulumi:pulumi:Stack (pbjrag-dev):", "    warning: changes settings", "    error: update failed", "",
      "  docker:index:Container (proxy):", "    error: 1 error occurred:", "    \t* Unable to start container: port is already allocated", "", "Resources:", "    2 errored",
    ).view;
    assert.deepEqual(problems.flatMap(linesOf), ["Unable to start container: port is already allocated"]);
  });

  it("tells what takes so long, and shows what it does not know", () => {
    const watcher = new Watcher("update");
    assert.equal(watcher.view.stillAt(5000), null);
    watcher.take(`${IMAGE} creating (0s)`, `${IMAGE} creating (1s) Step 2/3 : RUN make`, " +  docker:index:Volume data creating (0s)");
    assert.equal(watcher.view.stillAt(5000), null, "it has only begun");
    watcher.clock = 42_400;
    assert.equal(watcher.view.stillAt(5000), "   still at image-v3.0.0-c2efaa7a2226, step 2 of 3: RUN make (42 s)");
    watcher.take(`${IMAGE} created (43s)`);
    assert.match(watcher.view.stillAt(5000) ?? "", /still at data/);
    assert.deepEqual(new Watcher("update").take("^C received; cancelling.").shown, ["^C received; cancelling."]);
    assert.deepEqual(new Watcher("update").take("error: the stack is currently locked").view.problems, ["the stack is currently locked"]);
  });
});

describe("scripts/progress", () => {
  it("shows how a phase gets on once a second, and every start and end", () => {
    let clock = 0;
    const progress = new Progress(() => clock);
    const tell = (event: NewEvent["event"], message = "x", phase: NewEvent["phase"] = "backup"): boolean | undefined => progress.line({ phase, event, message })?.shown;
    assert.deepEqual([tell("start"), tell("progress"), tell("progress"), tell("done"), tell("progress")], [true, true, false, true, true]);
    clock = 1500;
    assert.deepEqual([tell("progress"), tell("progress", "y", "gate")], [true, false]);
    assert.deepEqual([tell("info", ""), tell("info", "x", "plan"), tell("failed", "x", "refused")], [undefined, undefined, undefined]);
    assert.equal(progress.line({ phase: "gate", event: "failed", message: "why\nTraceback" })?.text, "!!  gate: why");
  });
});
