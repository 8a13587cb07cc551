import assert from "node:assert/strict";
import { proxyFaults } from "../../components/traffic/faults.js";
import { connectionsFor, DEFAULT_OPTIONS, proxyOptionsOf } from "../../components/traffic/options.js";
import { render } from "../../components/traffic/render.js";
import { settingsOf } from "../settings/sample.js";
import { KEY, table } from "./sample.js";

const proxy = (more: object = {}) => ({ ...settingsOf({}).proxy, ...more });
const keys = (more: object): string[] => proxyFaults(proxy(more)).map(([key]) => key);

describe("the proxy's settings", () => {
  it("are by default what the config is rendered with where nobody says otherwise", () => {
    assert.deepEqual(proxyFaults(proxy()), []);
    assert.deepEqual(proxyOptionsOf(proxy()), DEFAULT_OPTIONS);
  });

  it("are refused where they mean nothing, each with its key", () => {
    const { timeouts } = proxy();
    assert.deepEqual(keys({ timeouts: { ...timeouts, headers: 10, answer: 0 } }), ["timeouts.headers", "timeouts.answer"]);
    assert.deepEqual([keys({ headerBytes: 1024 }), keys({ headerBytes: 1024 * 1024 })], [["headerBytes"], ["headerBytes", "connectionsPerSource"]]);
    assert.deepEqual(keys({ connectionsPerSource: 0 }), ["connectionsPerSource"]);
    assert.deepEqual(keys({ trusted: ["10.0.0.0/8", "::1", "fd00::/8", "10.0.0.1/33", "localhost", "10.0.0.1\n", "10.0.0.0/8/8"] }), ["trusted", "trusted", "trusted", "trusted"]);
    assert.throws(() => settingsOf({ "pbjrag:proxy": JSON.stringify({ timeouts: { headers: "soon" }, trusted: "10.0.0.1" }) }), /proxy\.timeouts\.headers[\s\S]*proxy\.trusted/);
  });

  it("hold as many connections as the memory is enough for, each with a full buffer", () => {
    const MIB = 1024 * 1024;
    assert.deepEqual([connectionsFor(256 * MIB, 16_384), connectionsFor(64 * MIB, 16_384), connectionsFor(4096 * MIB, 16_384)], [7489, 1872, 8000]);
  });

  it("come into the config as text that means nothing else there", () => {
    assert.throws(() => render(table(), KEY, { ...DEFAULT_OPTIONS, trusted: ["10.0.0.1 0.0.0.0/0"] }));
    assert.match(render(table(), KEY, { ...DEFAULT_OPTIONS, trusted: ["10.0.0.0/8"] }).config, /^ {2}acl shared src 127\.0\.0\.0\/8 10\.0\.0\.0\/8$/m);
  });
});
