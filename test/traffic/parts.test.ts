import assert from "node:assert/strict";
import { parseLine, revisionOfRequest, trafficOf } from "../../components/metrics/log-line.js";
import type { TrafficTable } from "../../components/traffic/model.js";
import { render } from "../../components/traffic/render.js";
import { KEY, revision, table } from "./sample.js";

const [v2, v3, v4] = [revision("dev", "v2.9.0-bbbbbbbb"), revision("dev", "v3.0.0-aaaaaaaa"), revision("dev", "v4.0.0-cccccccc")];

/** Which releases, or ways to others, each backend of parts asks, in their order. */
function chains(parts: Partial<TrafficTable>): Record<string, string[]> {
  const sections = render(table(parts), KEY).config.split("\n\n").filter((section) => /^backend (parts|rest)_/.test(section));
  return Object.fromEntries(sections.map((section) => [/^backend (\S+)/.exec(section)?.[1] ?? "", [...section.matchAll(/server s[12] abns@pbjrag-part-of-(\S+)/g)].map(([, to]) => to ?? "")]));
}

describe("parts of the page", () => {
  it("are asked of the user's release first, and then of each other one that has containers", () => {
    assert.deepEqual(chains({ serving: v3, former: null }), {}, "one alone is asked without a way round");
    const two = { "parts_v3.0.0-aaaaaaaa": [v3.revision, v2.revision], "parts_v2.9.0-bbbbbbbb": [v2.revision, v3.revision] };
    assert.deepEqual(chains({ serving: v3, former: v2 }), two);
    assert.deepEqual(chains({ serving: v3, former: v2, abandoned: true }), two, "tabs of a release that a rollback left are still open");
    assert.deepEqual(chains({ serving: v3, former: null, canary: { revision: v2, weight: 0 } }), two, "as those of a canary that lost its share");
    assert.deepEqual(chains({ serving: v3, former: v2, canary: { revision: v4, weight: 10 } }), {
      "parts_v3.0.0-aaaaaaaa": [v3.revision, `others-${v3.revision}`], "rest_v3.0.0-aaaaaaaa": [v2.revision, v4.revision],
      "parts_v2.9.0-bbbbbbbb": [v2.revision, `others-${v2.revision}`], "rest_v2.9.0-bbbbbbbb": [v3.revision, v4.revision],
      "parts_v4.0.0-cccccccc": [v4.revision, `others-${v4.revision}`], "rest_v4.0.0-cccccccc": [v3.revision, v2.revision],
    });
  });

  it("are below the app's own base path, and an app's own static files are none", () => {
    const based = render(table({ serving: { ...v3, healthPath: "/tools/rag/_stcore/health" }, former: v2 }), KEY).config;
    assert.match(based, /^ {2}acl static_part path_beg \/tools\/rag\/static\/ \/static\/$/m);
    assert.match(based, /^ {2}acl stream path \/tools\/rag\/_stcore\/stream \/_stcore\/stream$/m);
    assert.match(based, /^ {2}acl part path_beg .*\/tools\/rag\/app\/static\//m);
  });

  it("are no affair of an app that is not Streamlit's: it may well have pages below /static/", () => {
    const other = { healthPath: "/healthz" };
    assert.doesNotMatch(render(table({ serving: { ...v3, ...other }, former: { ...v2, ...other } }), KEY).config, /part_of|static_part|status 404.*this part/);
    const mixed = render(table({ serving: { ...v3, ...other }, former: v2 }), KEY).config.split("\n\n");
    const refuses = mixed.filter((section) => /has this part/.test(section)).map((section) => section.split("\n")[0]);
    assert.deepEqual(refuses, [`frontend part_of_${v2.revision}`]);
  });

  it("count for who answered; what nobody has is missing where it was asked first", () => {
    const line = (more: object) => parseLine(`{"time":1.2,${JSON.stringify({ backend: "parts_v3.0.0-aaaaaaaa", kind: "part", method: "GET", status: 200, queue: 0, connect: 0, answer: 3, total: 3, end: "--", ...more }).slice(1)}`) ?? assert.fail("no line");
    const seen = [line({ by: v3.revision }), line({ by: v2.revision }), line({ by: v2.revision, status: 404 }), line({ backend: "app_v3.0.0-aaaaaaaa", status: 404 }), line({ by: "", status: 503 })];
    assert.deepEqual(seen.map(revisionOfRequest), [v3.revision, v2.revision, v3.revision, v3.revision, v3.revision]);
    assert.deepEqual(seen.map((one) => [trafficOf(one).partsLent, trafficOf(one).partsMissing, trafficOf(one).errors]), [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]);
  });
});
