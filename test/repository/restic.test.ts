import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Restic } from "../../components/repository/restic.js";
import { neverUsed, openRepository } from "../../components/repository/seen.js";
import { ReleaseError } from "../../components/runtime/errors.js";
import { dataPaths } from "../../components/runtime/paths.js";

const ENV = { RESTIC_REPOSITORY: "rest:https://user:hunter2@host/x", RESTIC_PASSWORD: "hunter3" };

describe("repository/restic", () => {
  let root: string;
  beforeEach(() => { root = mkdtempSync(path.join(tmpdir(), "restic-")); });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const paths = (): ReturnType<typeof dataPaths> => dataPaths(root, "t");
  /** One that does this in place of the real one, and notes what it was called with. */
  function fake(script: string): Restic {
    writeFileSync(path.join(root, "restic"), `#!/bin/sh\necho "$@" >>${root}/called\n${script}\n`, { mode: 0o755 });
    return new Restic({ ...ENV, PATH: `${root}:/bin:/usr/bin` }, paths());
  }
  const called = (): string => readFileSync(path.join(root, "called"), "utf8");

  it("tells restic where and with which password by its environment alone", async () => {
    const restic = fake('test "$RESTIC_PASSWORD" = hunter3 && test "$RESTIC_REPOSITORY" = rest:https://user:hunter2@host/x && echo \'{"id":"abc"}\'');
    assert.equal(await restic.id(), "abc");
    assert.doesNotMatch(called(), /hunter|host/);
  });

  it("fails in restic's own words, without secrets", async () => {
    const restic = fake('echo "Fatal: no way to rest:https://user:hunter2@host/x with hunter3" >&2; echo "more" >&2; exit 1');
    await assert.rejects(restic.id(), (error) => {
      assert.ok(error instanceof ReleaseError);
      assert.match(error.why, /restic cat on rest:https:\/\/\*\*\*@host\/x ended with code 1: Fatal: no way/);
      assert.deepEqual(error.lines, ["more"]);
      assert.doesNotMatch(error.message, /hunter/);
      return true;
    });
  });

  it("says that there is none, and how to get one", async () => {
    const restic = new Restic({ ...ENV, PATH: root }, paths());
    await assert.rejects(restic.id(), /there is no restic on this machine.*apt-get install restic/);
  });

  it("takes only its own stack's backups for copies, newest first", async () => {
    const snapshot = (id: string, ...tags: string[]): object => ({ id, time: "2026-01-01T00:00:00Z", tags });
    const all = [snapshot("1", "stack=t", "backup=pre-deploy-20260101-120000"), snapshot("2", "stack=t", "backup=../../x"), snapshot("3", "stack=t", "backup=pre-rollback-20260102-120000"), snapshot("4", "stack=t")];
    const restic = fake(`echo '${JSON.stringify(all)}'`);
    assert.deepEqual((await restic.copies()).map(({ id, backup }) => [id, backup]), [["3", "pre-rollback-20260102-120000"], ["1", "pre-deploy-20260101-120000"]]);
    assert.match(called(), /^snapshots --json --no-lock --tag stack=t$/m);
  });

  it("reads a backup's summary, however much status comes before it, and asks for little", async () => {
    const status = `{"message_type":"status","percent_done":0.5,"current_files":["${"x".repeat(2000)}"]}`;
    const last = (more: object): string => JSON.stringify({ message_type: "summary", snapshot_id: "abc", data_added: 923_012, ...more });
    const noisy = (more: object): Restic => fake(`test "$RESTIC_PROGRESS_FPS" = 0.016 || exit 9; yes '${status}' | head -n 50000; echo '${last(more)}'`);
    assert.deepEqual(await noisy({}).save(root, "pre-deploy-20260101-120000"), { bytes: 923_012, stored: false });
    assert.deepEqual(await noisy({ data_added_packed: 1800 }).save(root, "pre-deploy-20260101-120000"), { bytes: 1800, stored: true });
  }).timeout(60_000);

  it("makes a repository where there never was one, and none in the place of one that was used", async () => {
    const restic = fake(`case $1 in init) touch ${root}/made; exit 0 ;; esac; test -e ${root}/made && echo '{"id":"abc"}'`);
    assert.equal(await neverUsed(restic, paths(), ENV), true);
    assert.deepEqual(await openRepository(restic, paths(), ENV), { made: true });
    assert.equal(await neverUsed(restic, paths(), ENV), false);
    assert.deepEqual(await openRepository(restic, paths(), ENV), { made: false });
    rmSync(path.join(root, "made"));
    assert.equal(await neverUsed(restic, paths(), ENV), false, "one that was used and is gone is no empty one");
    await assert.rejects(openRepository(restic, paths(), ENV), /restic cat/);
    assert.equal(called().match(/^init/gm)?.length, 1);
  });
});
