import assert from "node:assert/strict";
import { alerts, publishedAddress } from "../../components/traffic/front-door.js";
import { parseSessions, parseStat, parseWorkers } from "../../components/traffic/master.js";

const PROC = `#<PID>          <type>          <reloads>       <uptime>        <version>
1               master          7 [failed: 0]   0d00h00m04s     2.6.12
# workers
137             worker          0               0d00h00m00s     2.6.12
# old workers
40              worker          6               0d00h00m02s     2.6.12
41              worker          5               0d00h00m02s     2.6.12
# programs

`;
const STAT = `# pxname,svname,qcur,qmax,scur,smax,
app_v2,r1,0,0,9,1,
ws_v2,r1,0,0,3,4,
ws_v2,BACKEND,0,0,3,4,

`;
const SESSIONS = `0x5630610a8690: proto=tcpv4 src=172.30.0.1:40732 fe=front be=ws_v2-00000001 srv=r2 ts=00 epoch=0
0x7f14d003b280: proto=sockpair src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00

`;

describe("HAProxy's answers", () => {
  it("tell workers, the old ones too", () => {
    assert.deepEqual(parseWorkers(PROC), [{ pid: 137, old: false }, { pid: 40, old: true }, { pid: 41, old: true }]);
    assert.deepEqual(parseWorkers(""), []);
  });

  it("tell what is open now", () => {
    assert.deepEqual(parseStat(STAT), [
      { backend: "app_v2", server: "r1", current: 9 },
      { backend: "ws_v2", server: "r1", current: 3 },
      { backend: "ws_v2", server: "BACKEND", current: 3 },
    ]);
    assert.deepEqual(parseStat("Can't find the target PID matching the prefix '@!40'\n"), []);
  });

  it("tell sessions with their backend", () => {
    assert.deepEqual(parseSessions(SESSIONS), [
      { id: "0x5630610a8690", backend: "ws_v2-00000001" },
      { id: "0x7f14d003b280", backend: "<NONE>" },
    ]);
    assert.deepEqual(parseSessions("\n"), []);
  });

  it("tell what is wrong with a config in one line", () => {
    const said = "[NOTICE]   (12) : haproxy version is 2.6\n[ALERT]    (12) : config : parsing [next-1.cfg:8] : unknown keyword 'x'.\n[ALERT]    (12) : config : Fatal errors found in configuration.\n";
    assert.equal(alerts(said), "parsing [next-1.cfg:8] : unknown keyword 'x'.; Fatal errors found in configuration.");
    assert.equal(alerts("sh: haproxy: not found\n"), "sh: haproxy: not found");
  });
});

describe("the front door's address", () => {
  const of = (HostIp: string | undefined, HostPort = "8501"): string | null =>
    publishedAddress({ NetworkSettings: { Ports: { "8080/tcp": [{ ...(HostIp === undefined ? {} : { HostIp }), HostPort }] } }, HostConfig: {} });

  it("is one that this host can reach", () => {
    assert.equal(of("0.0.0.0"), "127.0.0.1:8501");
    assert.equal(of("127.0.0.1", "8503"), "127.0.0.1:8503");
    assert.equal(of("192.0.2.7"), "192.0.2.7:8501");
    assert.equal(of("::"), "[::1]:8501");
    assert.equal(of(undefined), "127.0.0.1:8501");
    assert.equal(of("127.0.0.1", ""), null);
  });

  it("is the wished one while the container is stopped", () => {
    const HostConfig = { PortBindings: { "8080/tcp": [{ HostIp: "0.0.0.0", HostPort: "8501" }] } };
    assert.equal(publishedAddress({ NetworkSettings: { Ports: {} }, HostConfig }), "127.0.0.1:8501");
    assert.equal(publishedAddress({ NetworkSettings: { Ports: null }, HostConfig: {} }), null);
  });
});
