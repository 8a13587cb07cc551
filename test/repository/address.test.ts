import assert from "node:assert/strict";
import { repositoryEnv, repositoryFaults, secretsIn, shownAddress } from "../../components/repository/address.js";

const of = (repository?: string, repositoryPassword?: string, env: Record<string, string> = {}): Parameters<typeof repositoryFaults>[0] => ({ repository, repositoryPassword, repositoryEnv: env });

describe("repository/address", () => {
  it("takes restic's forms of an address, and nothing else", () => {
    for (const good of ["/srv/backups", "/mnt/a b", "sftp:user@host:/srv/restic", "sftp://user@host//srv", "s3:https://host:9000/bucket", "s3:bucket", "rest:https://u:p@host:8000/x", "rclone:remote:path"]) {
      assert.deepEqual(repositoryFaults(of(good, "x")), [], good);
    }
    for (const bad of ["", "backups", "../x", "http://host/x", "--repo=/x", "/a\nb", "rest:", "-r"]) {
      assert.deepEqual(repositoryFaults(of(bad, "x")).map(([key]) => key), ["repository"], JSON.stringify(bad));
    }
  });
  it("never says an address that it refuses: it may hold a password", () => {
    assert.doesNotMatch(JSON.stringify(repositoryFaults(of("https://user:hunter2@host", "x"))), /hunter2/);
  });
  it("wants a password with a repository, and a repository with a password", () => {
    assert.deepEqual(repositoryFaults(of("/srv/backups")).map(([key]) => key), ["repositoryPassword"]);
    assert.deepEqual(repositoryFaults(of(undefined, "x")).map(([key]) => key), ["repositoryPassword"]);
    assert.deepEqual(repositoryFaults(of("/srv/backups", "a\nb")).map(([key]) => key), ["repositoryPassword"]);
    assert.deepEqual(repositoryFaults(of()), []);
  });
  it("refuses variables that are its own, or none", () => {
    const env = { AWS_ACCESS_KEY_ID: "a", RESTIC_PASSWORD: "b", RESTIC_REPOSITORY_FILE: "c", "A B": "d", RESTIC_COMPRESSION: "off" };
    assert.deepEqual(repositoryFaults(of("/srv", "x", env)).map(([key]) => key), ["repositoryEnv.RESTIC_PASSWORD", "repositoryEnv.RESTIC_REPOSITORY_FILE", 'repositoryEnv."A B"']);
  });
  it("tells restic everything by its environment", () => {
    assert.deepEqual(repositoryEnv(of("/srv", "p", { AWS_SECRET_ACCESS_KEY: "k" })), { AWS_SECRET_ACCESS_KEY: "k", RESTIC_REPOSITORY: "/srv", RESTIC_PASSWORD: "p" });
    assert.equal(repositoryEnv(of()), null);
  });
  it("shows an address without user and password, and knows what must not be shown", () => {
    assert.equal(shownAddress("rest:https://user:hun%40ter2@host:8000/x"), "rest:https://***@host:8000/x");
    assert.equal(shownAddress("/srv/backups"), "/srv/backups");
    const secrets = secretsIn({ RESTIC_REPOSITORY: "rest:https://user:hun%40ter2@host", RESTIC_PASSWORD: "pass", AWS_SECRET_ACCESS_KEY: "key" });
    assert.deepEqual(secrets.sort(), ["hun%40ter2", "hun@ter2", "key", "pass"]);
  });
});
