import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CONTAINER } from "../../../offline/engine/providers/docker/container-schema.js";
import { cpusText } from "../../../offline/engine/providers/docker/container-outputs.js";
import { createOptions } from "../../../offline/engine/providers/docker/container.js";
import { BuildContext, modeText } from "../../../offline/engine/providers/docker/context.js";
import { goDuration, healthcheck } from "../../../offline/engine/providers/docker/healthcheck.js";
import { NETWORK } from "../../../offline/engine/providers/docker/network.js";
import { check, compare } from "../../../offline/engine/providers/docker/schema.js";
import { asText, UNKNOWN, type Props } from "../../../offline/engine/values.js";

const call = (name: string) => ({ urn: "u", type: "t", name, preview: false, report: () => undefined });
const container = (more: Props): Props => check(CONTAINER, call("app"), undefined, { name: "app", image: "i", ...more });
const same = (outputs: Props, wanted: Props): boolean => !compare(CONTAINER, { ...container({}), ...outputs }, container(wanted), []).changed;

describe("stand-in engine: docker arguments", () => {
  it("fills in the real provider's defaults, and lists them", () => {
    const inputs = container({ ports: [{ internal: 80 }] });
    assert.deepEqual(inputs.__defaults, [
      "containerReadRefreshTimeoutMilliseconds",
      "mustRun",
      "networkMode",
      "removeVolumes",
      "restart",
      "start",
      "waitTimeout",
    ]);
    assert.deepEqual(inputs.ports, [{ __defaults: ["ip", "protocol"], internal: 80, ip: "0.0.0.0", protocol: "tcp" }]);
  });

  it("makes up a name once, and keeps it", () => {
    const first = check(NETWORK, call("net"), undefined, {});
    assert.match(asText(first.name), /^net-[0-9a-f]{7}$/);
    assert.equal(check(NETWORK, call("net"), first, {}).name, first.name);
    assert.equal(check(NETWORK, call("net"), first, { name: "fixed" }).name, "fixed");
  });

  it("refuses an argument it does not know by its name, at any depth", () => {
    assert.throws(() => container({ privileged: true }), /argument 'privileged' of docker\.Container/);
    assert.throws(() => container({ networksAdvanced: [{ name: "n", ipv4Address: "1.2.3.4" }] }), /'ipv4Address'/);
  });

  it("compares sets without regard to order, lists with it", () => {
    assert.ok(same({ envs: ["B=2", "A=1"] }, { envs: ["A=1", "B=2"] }));
    const labels = [
      { label: "a", value: "1" },
      { label: "b", value: "2" },
    ];
    assert.ok(same({ labels: [...labels].reverse() }, { labels }));
    assert.ok(!same({ labels }, { labels: labels.slice(1) }));
    assert.ok(!same({ command: ["a", "b"] }, { command: ["b", "a"] }));
    const volumes = [{ containerPath: "/d", volumeName: "v", hostPath: "", fromContainer: "", readOnly: null, selinuxRelabel: "" }];
    assert.ok(same({ volumes }, { volumes: [{ containerPath: "/d", volumeName: "v" }] }));
  });

  it("leaves alone what Docker chose, and not what the program wants", () => {
    const ports = [{ internal: 80, external: 32768, ip: "0.0.0.0", protocol: "tcp" }];
    assert.ok(same({ ports }, { ports: [{ internal: 80 }] }));
    assert.ok(!same({ ports }, { ports: [{ internal: 80, external: 8080 }] }));
    assert.ok(same({ hostname: "0123456789ab" }, {}));
    assert.ok(!same({ memory: 64 }, { memory: 128 }));
  });

  it("replaces for an image, updates for memory, and takes an unknown as a difference", () => {
    const olds = { ...container({ memory: 64 }), image: "old" };
    const replaced = compare(CONTAINER, olds, container({ memory: 64 }), []);
    assert.deepEqual(replaced.replaceKeys, ["image"]);
    const updated = compare(CONTAINER, container({ memory: 64 }), container({ memory: 96 }), []);
    assert.deepEqual([updated.keys, updated.replaceKeys], [["memory"], []]);
    assert.ok(compare(CONTAINER, olds, container({ memory: 64, image: UNKNOWN }), []).changed);
  });

  it("starts again a container that should run and does not", () => {
    assert.deepEqual(compare(CONTAINER, { ...container({}), mustRun: false }, container({}), []).keys, ["mustRun"]);
  });

  it("asks Docker for what the arguments say", () => {
    const options = createOptions({
      name: "app",
      image: "i",
      ports: [{ internal: 80, ip: "127.0.0.1", protocol: "tcp" }],
      volumes: [{ volumeName: "v", containerPath: "/d", readOnly: true }],
      memory: 64,
      memorySwap: -1,
      cpus: "0.5",
      labels: [{ label: "a", value: "1" }],
    });
    assert.deepEqual(options.HostConfig?.PortBindings, { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] });
    assert.deepEqual(options.HostConfig?.Binds, ["v:/d:ro"]);
    assert.equal(options.HostConfig?.Memory, 64 * 1024 * 1024);
    assert.equal(options.HostConfig?.MemorySwap, -1);
    assert.equal(options.HostConfig?.NanoCpus, 500_000_000);
    assert.deepEqual(options.Labels, { a: "1" });
  });

  it("hands a share of the processor on as a quota, unless cores are named", () => {
    const limits = { cpuPeriod: 100_000, cpuQuota: 25_000 };
    assert.deepEqual([createOptions(limits).HostConfig?.CpuPeriod, createOptions(limits).HostConfig?.CpuQuota], [100_000, 25_000]);
    assert.equal(createOptions({ ...limits, cpus: "1" }).HostConfig?.CpuQuota, undefined);
  });

  it("reads cores back in the real provider's form, which is not the one that they were given in", () => {
    assert.deepEqual([1e9, 2e9, 5e8, 1.5e9, 2.5e8, 1e10].map(cpusText), ["1.0", "2.0", "0.5", "1.5", "0.25", "10."]);
  });
});

describe("stand-in engine: build contexts", () => {
  it("tells what checks a container's health as the real provider records it", () => {
    assert.equal(healthcheck(undefined), null);
    assert.deepEqual(healthcheck({ Test: ["CMD-SHELL", "python3 -c pass"], Interval: 30e9, Timeout: 3e9, StartPeriod: 5e9, Retries: 3 }), {
      interval: "30s", retries: 3, startInterval: "0s", startPeriod: "5s", tests: ["CMD-SHELL", "python3 -c pass"], timeout: "3s",
    });
    assert.deepEqual([0, 1.5e9, 90e9, 3_600e9, 5e8].map(goDuration), ["0s", "1.5s", "1m30s", "1h0m0s", "500ms"]);
  });

  it("digests a context as the real provider does", async () => {
    const directory = mkdtempSync(join(tmpdir(), "context-"));
    const put = (name: string, text: string, mode = 0o644): void => {
      writeFileSync(join(directory, name), text);
      chmodSync(join(directory, name), mode);
    };
    mkdirSync(join(directory, "sub"));
    mkdirSync(join(directory, "skip", "deep"), { recursive: true });
    put("Dockerfile", "FROM scratch\n");
    put("a.txt", "a\n");
    put("sub/run.sh", "#!/bin/sh\n", 0o755);
    put(".dockerignore", "*.log\n!keep.log\nskip\n");
    put("x.log", "x\n");
    put("keep.log", "k\n");
    put("skip/deep/y", "y\n");
    // What the real provider, version 5.2.0, says of this directory.
    const expected = "fb29f5dae12062cb3b2bb87d52493b6d2d1f962ea8cd2c187b587ce6bd6d6477";
    assert.equal(await new BuildContext(directory, join(directory, "Dockerfile")).digest(), expected);
    rmSync(directory, { recursive: true });
  });

  it("writes modes as Go does", () => {
    const stats = (mode: number, link = false) => ({ mode, isSymbolicLink: () => link });
    assert.equal(modeText(stats(0o100644)), "-rw-r--r--");
    assert.equal(modeText(stats(0o104755)), "urwxr-xr-x");
    assert.equal(modeText(stats(0o120777, true)), "Lrwxrwxrwx");
  });
});
