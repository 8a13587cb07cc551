import assert from "node:assert/strict";
import { withoutCanary, withShareOf } from "../../components/traffic/canary.js";
import { checkTable, sameTable } from "../../components/traffic/model.js";
import { decodeTable, encodeTable, render } from "../../components/traffic/render.js";
import { warmTable } from "../../scripts/cli/warm.js";
import { cookieValue } from "../../components/traffic/config/backends.js";
import { KEY, revision, table } from "./sample.js";

const CANARY = revision("dev", "v3.1.0-cccccccc");
const withCanary = (weight: number, until?: number) => table({ canary: { revision: CANARY, weight, ...(until === undefined ? {} : { until }) } });

describe("a canary's share", () => {
  it("is drawn from page loads of who is on no release; both keep the users that they have", () => {
    const { config } = render(withCanary(10), KEY);
    assert.match(config, /^ {2}acl drawn rand\(100\) lt 10$/m);
    const users = config.split("\n\n").find((section) => section.startsWith("frontend front\n")) ?? "";
    const rules = users.split("\n").filter((line) => line.startsWith("  use_backend"));
    assert.deepEqual(rules.slice(-8), [
      "  use_backend ws_v3.1.0-cccccccc if of_canary websocket canary_up",
      "  use_backend failopen_ws_v3.1.0-cccccccc if of_canary websocket canary_open",
      "  use_backend app_v3.1.0-cccccccc if of_canary !websocket canary_up",
      "  use_backend failopen_app_v3.1.0-cccccccc if of_canary !websocket canary_open",
      "  use_backend app_v3.1.0-cccccccc if page !of_serving !of_canary canary_up drawn",
      "  use_backend failopen_ws_v3.0.0-aaaaaaaa if websocket !serving_up serving_open",
      "  use_backend ws_v3.0.0-aaaaaaaa if websocket",
      "  use_backend failopen_app_v3.0.0-aaaaaaaa if !serving_up serving_open",
    ]);
    assert.equal(config.match(/^backend (failopen_)?(app|ws)_v3\.1\.0-cccccccc$/gm)?.length, 4);
    const signed = [0, 1].map((at) => cookieValue(CANARY.revision, at, KEY)).join(" ");
    assert.ok(config.includes(`  acl of_canary req.cook(pbjrag_release) -m str ${signed}\n`), "by a cookie that it gave out");
  });

  it("ends by itself where it is a lease", () => {
    const { config } = render(withCanary(10, 1_900_000_000), KEY);
    assert.match(config, /^ {2}acl lease_runs date\(\) lt 1900000000$/m);
    assert.equal(config.match(/^ {2}use_backend .*v3\.1\.0.* lease_runs/gm)?.length, 5);
  });

  it("of nothing leaves no trace in the rules, but for parts of its users' pages", () => {
    const without = (text: string): string[] => text.replace(/[0-9a-f]{64}.*/g, "").split("\n\n").filter((section) => !/^(frontend|backend) (parts?|static|rest)_/.test(section));
    const rule = `  use_backend parts_${CANARY.revision} if of_page { req.cook(pbjrag_release) -m beg ${CANARY.revision}~ }\n`;
    assert.deepEqual(without(render(withCanary(0), KEY).config).map((section) => section.replace(rule, "")), without(render(table(), KEY).config));
  });

  it("is part of the table as it is told, and only beside a release that serves", () => {
    assert.ok(sameTable(decodeTable(encodeTable(withCanary(25, 1_900_000_000))), withCanary(25, 1_900_000_000)));
    for (const wrong of [table({ serving: null, canary: { revision: CANARY, weight: 1 } }), table({ canary: { revision: table().former ?? CANARY, weight: 1 } }), withCanary(100), withCanary(-1)]) {
      assert.throws(() => checkTable(wrong), /refused/);
    }
    assert.throws(() => checkTable(table({ canary: { revision: revision("other", "v3.1.0-cccccccc"), weight: 1 } })), /does not begin with/);
  });

  it("is its judge's: the route keeps what it finds, of this very canary", () => {
    assert.deepEqual(withShareOf(withCanary(10, 1_900_000_000), withCanary(0)), withCanary(10, 1_900_000_000));
    assert.deepEqual(withShareOf(withCanary(10), withCanary(0)), withCanary(10));
    assert.deepEqual(withShareOf(table(), withCanary(0)), withCanary(0));
    assert.deepEqual(withShareOf(null, withCanary(0)), withCanary(0));
    assert.deepEqual(withShareOf(withCanary(10), table()), table(), "the end of a canary is the end of its share");
    const other = table({ canary: { revision: revision("dev", "v3.2.0-dddddddd"), weight: 0 } });
    assert.deepEqual(withShareOf(withCanary(10), other), other);
  });

  it("is over after a warm rollback", () => {
    assert.equal(warmTable(withCanary(10)).canary, undefined);
    assert.deepEqual(withoutCanary(withCanary(10)), table());
  });
});
