import assert from "node:assert/strict";
import { withDeadline } from "../../components/runtime/deadline.js";
import { dockerSocket } from "../../components/runtime/docker.js";
import { asReleaseError, codeOf, errors, EXIT, messageOf, ReleaseError } from "../../components/runtime/errors.js";
import { changedInputs, hasUnknown, UNKNOWN } from "../../components/runtime/handler.js";
import { labelFilter, labelList, labels } from "../../components/runtime/labels.js";
import { dataPaths, handlerPaths, stamp } from "../../components/runtime/paths.js";

describe("runtime/paths", () => {
  it("resolves a relative data directory from the project's", () => {
    const paths = dataPaths(".", "prod", "/project");
    assert.deepEqual(
      [paths.dataDir, paths.backups, paths.logs, paths.run, paths.lock, paths.journal, paths.state],
      ["/project", "/project/backups/prod", "/project/logs", "/project/.release/run/prod", "/project/.release/run/prod/lock", "/project/.release/run/prod/journal.ndjson", "/project/.release/state"],
    );
    assert.equal(dataPaths("/data/", "prod", "/project").logs, "/data/logs");
  });

  it("refuses a stack name that could leave the directory", () => {
    for (const stack of ["", "..", "../x", "a/b", "-x", "a b"]) {
      assert.throws(() => dataPaths(".", stack), RangeError);
    }
  });

  it("lets the run's directory go before the recorded one in handlers", () => {
    assert.equal(handlerPaths({ dataDir: "/a", stack: "t" }, { PBJRAG_DATA_DIR: "/b" }).dataDir, "/b");
    assert.equal(handlerPaths({ dataDir: "/a", stack: "t" }, {}).dataDir, "/a");
  });

  it("stamps in UTC", () => assert.equal(stamp(new Date("2030-02-03T04:05:06.789Z")), "20300203-040506"));
});

describe("runtime/errors", () => {
  it("reads in one go", () => {
    const error = errors.lockHeld({ stack: "prod", holder: "deploy, run x (pid 7 on h), holds the lock since noon" });
    assert.equal(
      error.message,
      "Another release of stack prod is under way: deploy, run x (pid 7 on h), holds the lock since noon. Next: wait for it (--wait 10m waits for you), or end that process if it hangs",
    );
    assert.deepEqual([error.code, error.exitCode, error.name], ["lockHeld", EXIT.busy, "ReleaseError"]);
  });

  it("shows evidence below the sentence", () => {
    const lines = errors.configRefused({ problems: ["pbjrag:app.memory: too small", "pbjrag:x: unknown"] }).message.split("\n");
    assert.deepEqual(lines.slice(1), ["  | pbjrag:app.memory: too small", "  | pbjrag:x: unknown"]);
    assert.doesNotMatch(errors.configRefused({ problems: ["one thing"] }).message, /\n/);
  });

  it("passes ours unchanged and gives others our form, with their cause", () => {
    const ours = errors.stateLost({ stack: "t", why: "w", next: "n" });
    assert.equal(asReleaseError(ours, "x"), ours);
    const other = new TypeError("broken");
    const wrapped = asReleaseError(other, "The thing failed");
    assert.ok(wrapped instanceof ReleaseError && wrapped.cause === other && /^The thing failed: broken\. Next: /.test(wrapped.message));
  });

  it("has words and a code for anything that is thrown", () => {
    assert.equal(messageOf(new AggregateError([new Error("a"), new Error("b")])), "a; b");
    assert.equal(messageOf("text"), "text");
    assert.equal(codeOf(Object.assign(new Error(), { code: "ENOENT" })), "ENOENT");
    assert.equal(codeOf(null), "");
  });
});

describe("runtime/labels", () => {
  it("leaves out what is not given", () => {
    assert.deepEqual(labels({ stack: "t", role: "app", revision: "r" }), { "pbjrag.stack": "t", "pbjrag.role": "app", "pbjrag.revision": "r" });
    assert.deepEqual(labelList({ stack: "t", role: "data" }), [{ label: "pbjrag.stack", value: "t" }, { label: "pbjrag.role", value: "data" }]);
    assert.deepEqual(labelFilter({ role: "scratch", run: "x" }), ["pbjrag.role=scratch", "pbjrag.run=x"]);
  });
});

describe("runtime/handler", () => {
  it("compares inputs by content, whatever their order, and what is undefined with what is absent", () => {
    const olds = { a: { x: 1, y: [1, 2] }, b: "b", dataDir: "/one", measured: 7 };
    assert.deepEqual(changedInputs(olds, { dataDir: "/two", b: "b", a: { y: [1, 2], x: 1 }, c: undefined }, ["dataDir"]), []);
    assert.deepEqual(changedInputs(olds, { a: { x: 1, y: [2, 1] }, b: UNKNOWN }), ["a", "b"]);
  });

  it("finds what is unknown at any depth", () => {
    assert.ok(hasUnknown({ a: [{ b: UNKNOWN }] }));
    assert.ok(!hasUnknown({ a: [null, 1, "x"] }));
  });
});

describe("runtime/deadline", () => {
  it("gives up on work that ignores its signal", async () => {
    await assert.rejects(withDeadline(10, () => new Error("late"), () => new Promise(() => undefined)), /late/);
  });

  it("aborts the work, whose own complaint is not what is heard", async () => {
    const work = (signal: AbortSignal): Promise<never> => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
    await assert.rejects(withDeadline(10, () => new Error("late"), work), /late/);
  });

  it("passes results and errors on", async () => {
    assert.equal(await withDeadline(1000, () => new Error("late"), () => Promise.resolve(7)), 7);
    await assert.rejects(withDeadline(1000, () => new Error("late"), () => Promise.reject(new Error("own"))), /own/);
  });
});

describe("runtime/docker", () => {
  it("uses the local socket, or the one that DOCKER_HOST names, and no other machine's", () => {
    assert.equal(dockerSocket({}), "/var/run/docker.sock");
    assert.equal(dockerSocket({ DOCKER_HOST: "unix:///tmp/d.sock" }), "/tmp/d.sock");
    assert.throws(() => dockerSocket({ DOCKER_HOST: "ssh://host" }), (error: unknown) => error instanceof ReleaseError && error.exitCode === 2);
  });
});
