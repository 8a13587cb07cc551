import assert from "node:assert/strict";
import { ReleaseError } from "../../components/runtime/errors.js";
import { runsHere } from "../../components/runtime/docker-exec.js";
import { type Askers, idIn, type Identified, proveQdrant } from "../../components/qdrant/identity.js";

describe("qdrant/identity", () => {
  let next = 0;
  const container = (): Identified => ({ Id: `${next++}`.padStart(64, "0"), State: { Pid: 4242 } });
  const says = (parts: Partial<Askers> = {}): Askers & { asked: number } => {
    const askers = {
      asked: 0,
      runsHere: () => false,
      inside: () => {
        askers.asked += 1;
        return Promise.resolve("a");
      },
      outside: () => Promise.resolve("a"),
      ...parts,
    };
    return askers;
  };
  const refused = (askers: Askers): Promise<void> =>
    assert.rejects(proveQdrant(container(), "http://127.0.0.1:1", "", askers), (error: unknown) => error instanceof ReleaseError && error.code === "elsewhere" && error.exitCode === 2 && /Docker's socket leads to another/.test(error.why));

  it("asks nobody where the container's process is one of this host's", async () => {
    const askers = says({ runsHere: () => true, outside: () => Promise.reject(new Error("asked")) });
    await proveQdrant(container(), "http://127.0.0.1:1", "", askers);
    assert.equal(askers.asked, 0);
  });

  it("elsewhere the two must be one process, which is asked for once", async () => {
    const [askers, info] = [says(), container()];
    await proveQdrant(info, "http://127.0.0.1:1", "", askers);
    await proveQdrant(info, "http://127.0.0.1:1", "", askers);
    assert.equal(askers.asked, 1);
    await proveQdrant(info, "http://127.0.0.1:2", "", askers);
    assert.equal(askers.asked, 2);
  });

  it("refuses another one, and what tells nothing of itself", async () => {
    await refused(says({ outside: () => Promise.resolve("b") }));
    await refused(says({ inside: () => Promise.resolve(""), outside: () => Promise.resolve("") }));
    await refused(says({ outside: () => Promise.reject(new Error("connect ECONNREFUSED")) }));
    await refused(says({ inside: () => Promise.reject(new Error("no bash")) }));
  });

  it("reads Qdrant's own words", () => {
    assert.equal(idIn('{"result":{"id":"7e0d4c4e","app":{"name":"qdrant"}},"status":"ok"}'), "7e0d4c4e");
    for (const body of ["", "{}", '{"result":{"id":7}}', "<html>"]) assert.equal(idIn(body), "");
  });

  it("takes no process for a container's but by its cgroup", () => {
    assert.equal(runsHere(process.pid, "f".repeat(64)), false);
    assert.equal(runsHere(0, ""), false);
    assert.equal(runsHere(2 ** 30, ""), false);
  });
});
