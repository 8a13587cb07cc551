import assert from "node:assert/strict";
import fc from "fast-check";
import { composeFile, parseFile } from "../../components/traffic/live-file.js";
import { checkTable, emptyTable, sameTable, type TrafficRevision, type TrafficTable } from "../../components/traffic/model.js";
import { decodeTable, encodeTable, render } from "../../components/traffic/render.js";
import { DEFAULT_OPTIONS } from "../../components/traffic/options.js";
import { cookieValue } from "../../components/traffic/config/backends.js";
import { KEY, revision, table } from "./sample.js";

const name = fc.stringMatching(/^v[0-9]{1,3}\.[0-9]{1,3}-[0-9a-f]{8}$/);
const anyRevision = (stack: string): fc.Arbitrary<TrafficRevision> =>
  fc.record({ name, replicas: fc.integer({ min: 1, max: 99 }), port: fc.integer({ min: 1, max: 65535 }), tag: fc.string({ maxLength: 200 }) }).map(({ name, replicas, port, tag }) => ({ ...revision(stack, name, replicas), port, tag }));
const anyTable: fc.Arbitrary<TrafficTable> = fc.stringMatching(/^[a-z][a-z0-9]{0,8}([._-][a-z0-9]{1,4})?$/).chain((stack) =>
  fc
    .record({
      serving: fc.option(anyRevision(stack)),
      former: fc.option(anyRevision(stack)),
      abandoned: fc.boolean(),
      seq: fc.nat(),
      rollbackTo: fc.option(name),
    })
    .chain((parts) => fc.record({ frozenUntil: fc.integer({ min: 1, max: 4_000_000_000 }) }, { requiredKeys: [] }).map((pause) => ({ ...parts, ...pause })))
    .filter(({ serving, former }) => serving === null || serving.revision !== former?.revision)
    .map((parts) => ({ ...emptyTable(stack), ...parts })),
);

describe("the rendered config", () => {
  it("has a server for each container of whoever gets requests, in each backend, with a signed cookie of its own", () => {
    fc.assert(
      fc.property(anyTable, (any) => {
        const { config } = render(any, KEY);
        const used = [any.serving, any.abandoned ? null : any.former].flatMap((one) => one ?? []);
        const all = config.split("\n").filter((line) => line.startsWith("  server r"));
        for (const { revision, containers, port } of used) {
          for (const [at, container] of containers.entries()) {
            const lines = all.filter((line) => line.includes(` ${container}:${port} `));
            assert.equal(lines.length, 4, "requests and websockets, by health and without");
            assert.ok(lines.every((line) => line.startsWith(`  server r${at + 1} `) && line.includes(` cookie ${cookieValue(revision, at, KEY)} `)));
          }
        }
        const servers = config.split("\n").filter((line) => line.includes(" cookie v")).length;
        assert.equal(servers, 4 * used.reduce((sum, { containers }) => sum + containers.length, 0));
      }),
    );
  });

  it("has a digest that is the same for the same table and key only, and stands in it", () => {
    fc.assert(
      fc.property(anyTable, anyTable, (one, other) => {
        const { config, digest } = render(one, KEY);
        assert.match(digest, /^[0-9a-f]{64}$/);
        assert.ok(config.includes(`'${digest}'`));
        assert.equal(render(structuredClone(one), KEY).digest, digest);
        assert.equal(render(other, KEY).digest === digest, sameTable(one, other));
        assert.notEqual(render(one, "f".repeat(64)).digest, digest);
      }),
    );
  });

  it("refuses nothing unless writes are paused, and then until a moment of HAProxy's own clock", () => {
    const [free, paused] = [render(table(), KEY).config, render(table({ frozenUntil: 1_900_000_000 }), KEY).config];
    assert.doesNotMatch(free, /frozen/);
    assert.match(paused, /^ {2}acl frozen date\(\) lt 1900000000$/m);
    const rules = paused.split("\n").filter((line) => line.includes("frozen"));
    assert.ok(rules.some((line) => line.includes("return status 503") && line.includes("Retry-After")));
    assert.ok(paused.indexOf("str(frozen)") > paused.indexOf("acl preview") && paused.indexOf("str(frozen)") < paused.indexOf("use_backend"));
  });

  it("does not show the preview key, nor a tag in a form that could be read as config", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (tag) => {
        const { config } = render(table({ serving: { ...revision("dev", "v3.0.0-aaaaaaaa"), tag } }), KEY);
        assert.ok(!config.includes(KEY));
        assert.ok(tag.length < 12 || !config.includes(tag));
      }),
    );
  });

  it("sends nobody to an abandoned release, but for parts of its pages", () => {
    const most = Math.ceil(DEFAULT_OPTIONS.connections / 4);
    const left = (config: string): string[] => config.split("\n").filter((line) => /v2\.9\.0/.test(line) && !/^ {2}server r[12] /.test(line));
    assert.match(render(table(), KEY).config, /use_backend app_v2\.9\.0-bbbbbbbb if of_former !page former_up/);
    assert.deepEqual(left(render(table({ abandoned: true }), KEY).config), [
      "  use_backend parts_v2.9.0-bbbbbbbb if of_page { req.cook(pbjrag_release) -m beg v2.9.0-bbbbbbbb~ }",
      "frontend part_of_v2.9.0-bbbbbbbb", "  bind abns@pbjrag-part-of-v2.9.0-bbbbbbbb", "  http-after-response set-header X-Release-By v2.9.0-bbbbbbbb", "  default_backend static_v2.9.0-bbbbbbbb",
      "backend static_v2.9.0-bbbbbbbb",
      `  server s2 abns@pbjrag-part-of-v2.9.0-bbbbbbbb maxconn ${most}`, "backend parts_v2.9.0-bbbbbbbb", `  server s1 abns@pbjrag-part-of-v2.9.0-bbbbbbbb maxconn ${most}`,
    ]);
  });

  it("limits the preview to app containers of its own stack", () => {
    const pattern = (stack: string): RegExp => new RegExp(/-m reg (\^pbjrag\S+\$)/.exec(render(emptyTable(stack), KEY).config)?.[1] ?? "nothing");
    assert.match("pbjrag-a.b-app-v3.0.0-aaaaaaaa-1", pattern("a.b"));
    for (const other of ["pbjrag-axb-app-v3-1", "pbjrag-a.b-qdrant-0", "pbjrag-a.b-proxy", "x-pbjrag-a.b-app-1", "pbjrag-a.b-app-v3/1", "pbjrag-a.b-app-v3:1"]) {
      assert.doesNotMatch(other, pattern("a.b"));
    }
  });

  const hostile = ["", "a b", "a\nb", "x;y", "$(id)", "a'b", 'a"b', "../x", "-x", "a\\b", "a#b", "a\u0000b", "%[src]"];
  for (const bad of hostile) {
    it(`refuses ${JSON.stringify(bad)} where it could mean something else`, () => {
      const serving = revision("dev", "v3.0.0-aaaaaaaa");
      assert.throws(() => render(table({ serving: { ...serving, revision: bad } }), KEY), /serving\.revision/);
      assert.throws(() => render(table({ serving: { ...serving, containers: [bad] } }), KEY), /serving\.containers/);
      assert.throws(() => render(table({ stack: bad }), KEY), /stack/);
      if (bad !== "%[src]") assert.throws(() => render(table({ serving: { ...serving, healthPath: bad } }), KEY), /serving\.healthPath/);
      assert.throws(() => render(table(), bad), /preview key/);
    });
  }

  it("refuses ports, containers and revisions that cannot be", () => {
    const serving = revision("dev", "v3.0.0-aaaaaaaa");
    for (const [part, why] of [
      [{ serving: { ...serving, port: 0 } }, /serving\.port/],
      [{ serving: { ...serving, port: 70000 } }, /serving\.port/],
      [{ serving: { ...serving, containers: [] } }, /serving\.containers/],
      [{ serving: revision("prod", "v3.0.0-aaaaaaaa") }, /does not begin with pbjrag-dev-app-/],
      [{ former: serving }, /is the serving revision as well/],
    ] as [Partial<TrafficTable>, RegExp][]) {
      assert.throws(() => render(table(part), KEY), why);
    }
  });

  it("fits the answer that tells the table into HAProxy's buffer, also for the largest", () => {
    const largest = table({ serving: revision("dev", "v3.0.0-aaaaaaaa", 99), former: revision("dev", "v2.9.0-bbbbbbbb", 99) });
    assert.ok(encodeTable(largest).length < 8000);
  });
});

describe("the live file", () => {
  it("leads back to the table, key and time that it was made of", () => {
    fc.assert(
      fc.property(anyTable, (any) => {
        assert.deepEqual(decodeTable(encodeTable(any)), any);
        const made = composeFile({ table: any, previewKey: KEY, switchedAt: "2026-01-02T03:04:05.000Z", options: DEFAULT_OPTIONS });
        assert.deepEqual(parseFile(made.text), made);
        assert.equal(made.digest, render(any, KEY).digest);
      }),
    );
  });

  it("is told from what another hand wrote", () => {
    for (const text of ["", "global\n", "# pbjrag-live {}\n# digest 0\n", "# pbjrag-live x\n# digest 0\n"]) {
      assert.throws(() => parseFile(text));
    }
  });
});

describe("tables", () => {
  it("are the same whatever the order of their keys", () => {
    const one = table();
    const turned = Object.fromEntries(Object.entries(one).reverse());
    assert.ok(sameTable(one, checkTable(turned)));
    assert.ok(!sameTable(one, { ...one, seq: 3 }));
  });
});
