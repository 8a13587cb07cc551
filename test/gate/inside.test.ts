import assert from "node:assert/strict";
import { readLook } from "../../components/gate/inside.js";
import type { ContainerSample, HttpSample, Inside } from "../../components/gate/model.js";
import { runGate } from "../../components/gate/run.js";
import { judge } from "../../components/gate/verdict.js";
import { container, http, sample, SPEC } from "./samples.js";

const inside = (change: Partial<Inside> = {}): Inside => ({ listens: ["outside"], packages: {}, user: "0:0", uploads: null, healthcheck: null, ...change });
const looked = (change: Partial<Inside>, others: Partial<ContainerSample> = {}): ContainerSample => container({ ...others, inside: inside(change) });

describe("gate/inside", () => {
  it("reads from where a socket can be reached, in IPv4 and IPv6, as the kernel writes it", () => {
    const read = (...lines: string[]): string[] => readLook(["user 1000 1000", "own 0", "read", ...lines, ""].join("\n")).listens;
    assert.deepEqual(read("listens 0100007F"), ["loopback"]);
    assert.deepEqual(read("listens 0B00007F"), ["loopback"]);
    assert.deepEqual(read("listens 00000000000000000000000001000000"), ["loopback"]);
    assert.deepEqual(read("listens 0000000000000000FFFF00000100007F"), ["loopback"]);
    assert.deepEqual(read("listens 00000000"), ["outside"]);
    assert.deepEqual(read("listens 00000000000000000000000000000000"), ["outside"]);
    assert.deepEqual(read("listens 020011AC", "listens 0100007F"), ["outside", "loopback"]);
    assert.deepEqual(read(), []);
    assert.equal(readLook("user 1000 100\n").user, "1000:100");
    assert.equal(readLook("user  \n").user, "");
  });

  it("says that an app listens on 127.0.0.1 only, before the deadline, once it stays so", () => {
    const silent: HttpSample[] = [http("health", { status: 503, body: "<html>" }), http("script", { status: 503, body: "<html>" }), http("page", { status: 503, body: "<html>" })];
    const rounds = Array.from({ length: 8 }, (_, at) => sample({ at: at * 1000, containers: [looked({ listens: ["loopback"] }, { http: silent })] }));
    assert.equal(judge(SPEC, rounds.slice(0, 1), 0).verdict, "continue");
    const verdict = judge(SPEC, rounds, 7000);
    assert.equal(verdict.verdict, "fail");
    assert.match(JSON.stringify(verdict), /app-1 listens on 127\.0\.0\.1 only, .*--server\.address=0\.0\.0\.0/);
    const both = rounds.map(({ at }) => sample({ at, containers: [looked({ listens: ["loopback", "outside"] })] }));
    assert.equal(judge(SPEC, both, 7000).verdict, "pass");
  });

  it("refuses a release whose user cannot write or read uploads, and says what to do", () => {
    const uploads = { path: "/app/uploads", volume: "pbjrag-s-uploads-0", image: "sha256:0123456789abcdef" };
    const verdict = judge(SPEC, [sample({ containers: [looked({ user: "1000:1000", uploads: { ...uploads, fault: "unwritable" } })] })], 0);
    assert.deepEqual([verdict.verdict, "container" in verdict && verdict.container], ["fail", "app-1"]);
    assert.match(JSON.stringify(verdict), /cannot write to \/app\/uploads, where uploads go, as its user 1000:1000: .*--volume pbjrag-s-uploads-0:\/uploads sha256:0123456789ab -R a\+rwX \/uploads/);
    const unread = judge(SPEC, [sample({ containers: [looked({ uploads: { ...uploads, path: "/app/uploads/a", fault: "unreadable" } })] })], 0);
    assert.match(JSON.stringify(unread), /cannot read .*\/app\/uploads\/a/);
  });

  it("shows that the image's HEALTHCHECK fails, and lets the release pass", async () => {
    const world = (healthcheck: Inside["healthcheck"]): Parameters<typeof runGate>[1] => ({
      sample: () => Promise.resolve(sample({ containers: [looked({ healthcheck }), looked({ healthcheck })] })),
      monotonic: () => 0, sleep: () => Promise.resolve(), onRound: () => undefined,
    });
    const { verdict, measured } = await runGate({ ...SPEC, intervalMs: 1 }, world({ exitCode: 127, output: "/bin/sh: 1: curl: not found" }));
    assert.equal(verdict.verdict, "pass");
    assert.deepEqual(measured.notes, ["the image's HEALTHCHECK fails with exit code 127 (/bin/sh: 1: curl: not found), so Docker will call its containers unhealthy"]);
    assert.deepEqual((await runGate({ ...SPEC, intervalMs: 1 }, world({ exitCode: 0, output: "ok" }))).measured.notes, []);
  });

  it("tells of the pair of Streamlit and tornado that cuts whoever misses one ping", async () => {
    const notes = async (...packages: string[]): Promise<string[] | undefined> => {
      const look = { ...inside(), ...readLook(packages.map((one) => `package ${one}.dist-info`).join("\n")) };
      const world = { sample: () => Promise.resolve(sample({ containers: [container({ inside: { ...look, listens: [] } })] })), monotonic: () => 0, sleep: () => Promise.resolve(), onRound: () => undefined };
      return (await runGate({ ...SPEC, intervalMs: 1 }, world)).measured.notes;
    };
    assert.match((await notes("streamlit-1.40.0", "tornado-6.6.1"))?.join() ?? "", /^Streamlit 1\.40\.0 with tornado 6\.6\.1 cuts .*pin tornado<6\.5, or take Streamlit 1\.47/);
    assert.equal((await notes("streamlit-1.46.0", "tornado-6.5.2"))?.length, 1);
    for (const fine of [["streamlit-1.40.0", "tornado-6.4.2"], ["streamlit-1.47.1", "tornado-6.6.1"], ["streamlit-1.67.0"], ["tornado-6.6.1"], []]) assert.deepEqual(await notes(...fine), []);
    // The environment that the app's own variable names comes first.
    assert.deepEqual(await notes("streamlit-1.67.0", "tornado-6.6.1", "streamlit-1.40.0"), []);
  });
});
