import assert from "node:assert/strict";
import { preflight } from "../../components/release/preflight.js";

describe("release/preflight", () => {
  it("reports settings and ledger together, before it looks at anything", async () => {
    const result = await preflight({ stack: "dev", config: { "pbjrag:app": '{"replicas":0}', "pbjrag:version": "v1.0.0", "pbjrag:source": "." }, ledger: "garbled" });
    assert.ok("problems" in result);
    assert.deepEqual(result.problems.map(({ subject }) => subject), ["pbjrag:app.replicas", "ledger"]);
  });
  it("says once that there is no Docker", async () => {
    const saved = process.env["DOCKER_HOST"];
    process.env["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
    try {
      const result = await preflight({ stack: "dev", config: { "pbjrag:version": "v1.0.0", "pbjrag:source": "." }, ledger: undefined });
      assert.ok("problems" in result);
      assert.deepEqual(result.problems.map(({ subject }) => subject), ["Docker does not answer on /nowhere/docker.sock"]);
      assert.match(result.problems[0]?.what ?? "", /no such socket/);
    } finally {
      if (saved === undefined) {
        delete process.env["DOCKER_HOST"];
      } else {
        process.env["DOCKER_HOST"] = saved;
      }
    }
  });
});
