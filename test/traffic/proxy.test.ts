import assert from "node:assert/strict";
import { stackNames } from "../../components/release/names.js";
import { proxyArgs } from "../support/proxy-stack.js";

const SETTINGS = { image: "haproxy:2.6-bookworm", bind: "127.0.0.1", port: 8503, cpus: 0.5, memory: 256 * 1024 * 1024 };

describe("the proxy's resources", () => {
  it("are a volume and a container with the stack's names, labels and limits", async () => {
    const { args, all, url } = await proxyArgs("dev", SETTINGS);
    const names = stackNames("dev");
    assert.deepEqual(all.map(({ type }) => type).sort(), ["docker:index/container:Container", "docker:index/volume:Volume", "pbjrag:traffic:Proxy"]);
    assert.equal(args.name, names.proxyContainer);
    assert.deepEqual(args.labels, [{ label: "pbjrag.stack", value: "dev" }, { label: "pbjrag.role", value: "proxy" }]);
    assert.deepEqual(args.volumes, [{ volumeName: names.proxyVolume, containerPath: "/live" }]);
    assert.deepEqual(args.ports, [{ internal: 8080, external: 8503, ip: "127.0.0.1" }]);
    assert.deepEqual([args.memory, args.memorySwap, args.cpuQuota, args.restart], [256, 256, 50_000, "always"]);
    assert.deepEqual([args.capabilities, args.securityOpts], [{ drops: ["ALL"] }, ["no-new-privileges:true"]]);
    assert.ok(Number.parseInt(args.logOpts["max-size"] ?? "", 10) > 0 && Number(args.logOpts["max-file"]) > 0);
    assert.equal(url, "http://127.0.0.1:8503");
  });

  it("give an address that a person can open", async () => {
    assert.equal((await proxyArgs("dev", { ...SETTINGS, bind: "0.0.0.0" })).url, "http://127.0.0.1:8503");
    assert.equal((await proxyArgs("dev", { ...SETTINGS, bind: "192.0.2.7", port: 80 })).url, "http://192.0.2.7:80");
  });

  it("take nothing of what is served as an argument, so that a release does not touch them", async () => {
    const { args } = await proxyArgs("dev", SETTINGS);
    assert.doesNotMatch(JSON.stringify(args), /app-|v[0-9]+\./);
  });
});
