import assert from "node:assert/strict";
import { QdrantError } from "../../components/qdrant/client.js";
import { countPoints } from "../../components/qdrant/count.js";
import { withoutLimits } from "../../components/qdrant/lift.js";
import { limitsOf, UNLIMITED } from "../../components/qdrant/limits.js";
import { FakeQdrant } from "../support/fake-qdrant.js";

describe("qdrant/limits: what a collection's strict mode lets one ask", () => {
  const fake = (): FakeQdrant => new FakeQdrant(Array.from({ length: 25 }, (_, id) => [id, { vector: [id], payload: {} }] as const));

  it("is read from its configuration, and nothing where it is off", () => {
    const config = (strict: unknown): Record<string, unknown> => ({ params: {}, strict_mode_config: strict });
    const limits = { max_query_limit: 100, search_allow_exact: false, read_rate_limit: 60, condition_max_size: 32 };
    assert.deepEqual(limitsOf(config({ enabled: true, ...limits })), { page: 100, ids: 32, exact: false, perMinute: 60 });
    assert.deepEqual(limitsOf(config({ enabled: true })), UNLIMITED);
    assert.equal(limitsOf(config({ enabled: true, filter_max_conditions: 0, condition_max_size: 32 })).ids, 0);
    for (const off of [{ enabled: false, ...limits }, limits, null, undefined, { enabled: "yes" }]) assert.equal(limitsOf(config(off)), UNLIMITED);
  });

  it("counts by scrolling, in pages that are allowed, where exact counts are refused", async () => {
    const server = fake();
    const asked: string[] = [];
    server.onAsk = (what) => void asked.push(what);
    server.strict = { enabled: true, search_allow_exact: false, max_query_limit: 10 };
    try {
      const client = await server.open();
      assert.equal(await countPoints(client, "a"), 25);
      assert.deepEqual(asked, ["count", "a", "scroll", "scroll", "scroll"]);
      server.strict = null;
      assert.equal(await countPoints(client, "a"), 25);
    } finally {
      server.close();
    }
  });

  it("is waited for where a rate is used up, as long as Qdrant says, and told where the wait is too long", async () => {
    const server = fake();
    try {
      const client = await server.open();
      server.limited = 1;
      assert.equal(await client.count("a"), 25);
      server.limited = 1;
      server.retryAfter = 61;
      await assert.rejects(client.count("a"), (error: unknown) => error instanceof QdrantError && error.status === 429 && error.retryAfterMs === 61_000);
    } finally {
      server.close();
    }
  });

  it("is lifted for a piece of work and holds again afterwards", async () => {
    const server = fake();
    server.strict = { enabled: true, search_allow_exact: false };
    try {
      const client = await server.open();
      const { config } = await client.collection("a");
      assert.equal(await withoutLimits(client, "a", config, () => client.count("a")), 25);
      assert.deepEqual(server.strict, { enabled: true, search_allow_exact: false });
      const changes = withoutLimits(client, "a", config, () => Promise.resolve((server.strict = { enabled: false, max_query_limit: 5 })));
      await assert.rejects(changes, /its configuration is another one now/);
    } finally {
      server.close();
    }
  });
});
