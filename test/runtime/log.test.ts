import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { openReleaseLog } from "../../components/runtime/log.js";
import { dataPaths, type DataPaths } from "../../components/runtime/paths.js";

describe("runtime/log", () => {
  let paths: DataPaths;
  const now = (): Date => new Date("2030-01-02T03:04:05Z");
  beforeEach(() => (paths = dataPaths(mkdtempSync(join(tmpdir(), "pbjrag-log-")), "t")));
  afterEach(() => rmSync(paths.dataDir, { recursive: true, force: true }));

  it("writes every line with its time, masked, for its owner only", () => {
    const log = openReleaseLog(paths, "deploy", { secrets: ["hunter22"], now });
    log.write("one\ntwo hunter22\n");
    log.protect(["opensesame"]);
    log.write("three opensesame hunter22", "pulumi");
    log.close();
    log.write("after");
    assert.equal(basename(log.file), "deploy-20300102-030405.log");
    assert.equal(readFileSync(log.file, "utf8"), "2030-01-02T03:04:05.000Z one\n2030-01-02T03:04:05.000Z two ***\n2030-01-02T03:04:05.000Z [pulumi] three *** ***\n");
    assert.equal(log.redact("say opensesame"), "say ***");
    assert.deepEqual([statSync(log.file).mode & 0o777, statSync(paths.logs).mode & 0o777], [0o600, 0o700]);
  });

  it("does not write into the log of another run of the same second", () => {
    const [first, second] = [openReleaseLog(paths, "deploy", { now }), openReleaseLog(paths, "deploy", { now })];
    assert.notEqual(first.file, second.file);
    first.close();
    second.close();
  });

  it("takes a child's output in any pieces", async () => {
    const log = openReleaseLog(paths, "deploy", { secrets: ["hunter22"], now });
    const stream = log.stream("pulumi");
    for (const piece of ["a hun", "ter22 b\r\nla", "st"]) {
      stream.write(piece);
    }
    stream.end();
    await once(stream, "close");
    log.close();
    assert.equal(readFileSync(log.file, "utf8"), "2030-01-02T03:04:05.000Z [pulumi] a *** b\n2030-01-02T03:04:05.000Z [pulumi] last\n");
  });
});
