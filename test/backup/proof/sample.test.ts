import assert from "node:assert/strict";
import { Mismatch } from "../../../components/backup/proof/agree.js";
import { Sample, type SampleContext, type SampleRecord } from "../../../components/backup/proof/sample.js";
import type { QdrantClient } from "../../../components/qdrant/client.js";
import { FakeQdrant, type FakePoint, type FakeStrictMode } from "../../support/fake-qdrant.js";

const PLAIN = { params: { vectors: { size: 2, distance: "Dot" } } };
const NAMED = { params: { vectors: { a: { size: 2, distance: "Dot" }, b: { size: 1, distance: "Dot" } } } };

describe("backup/proof: a sample of points and queries", function () {
  this.timeout(30_000);
  let live: FakeQdrant;
  let scratch: FakeQdrant;
  let clients: { live: QdrantClient; scratch: QdrantClient };
  let said: string[];
  const context: SampleContext = { say: (message) => void said.push(message), remaining: () => 10_000 };
  const point = (id: number, text = "x"): FakePoint => ({ vector: [id / 7, 1 - id / 9], payload: { id, text } });

  beforeEach(async () => {
    said = [];
    live = new FakeQdrant(Array.from({ length: 50 }, (_, id) => [id, point(id)] as const));
    scratch = new FakeQdrant(live.points);
    clients = { live: await live.open(), scratch: await scratch.open() };
  });

  afterEach(() => [live, scratch].forEach((one) => one.close()));

  /** As a backup does: drawn, then what users do meanwhile, then compared. */
  async function sampled(meanwhile: () => void = () => undefined, config: Record<string, unknown> = PLAIN): Promise<SampleRecord> {
    const sample = await Sample.draw(context, clients.live, "a", config);
    meanwhile();
    return sample.compare(clients.live, clients.scratch, { lookMs: 10 });
  }

  const differs = (why: RegExp) => (error: unknown): boolean => error instanceof Mismatch && error.code === "sample" && why.test(error.why);

  it("compares every point that was drawn, and queries by some of their vectors", async () => {
    assert.deepEqual(await sampled(), { points: 50, changed: 0, queries: 3 });
    live.points.clear();
    scratch.points.clear();
    assert.deepEqual(await sampled(), { points: 0, changed: 0, queries: 0 });
  });

  it("asks by each named vector that a point has", async () => {
    for (const { points } of [live, scratch]) for (const id of points.keys()) points.set(id, { vector: id % 2 === 0 ? { a: [id, 1], b: [id] } : { a: [id, 1] }, payload: {} });
    const { points, queries } = await sampled(undefined, NAMED);
    assert.equal(points, 50);
    assert.ok(queries > 3 && queries < 6, `${queries}`);
  });

  for (const [what, damage] of [
    ["a payload", (points: Map<number, FakePoint>) => points.set(17, { ...point(17), payload: { id: 17, text: "y" } })],
    ["one bit of a vector", (points: Map<number, FakePoint>) => points.set(17, { ...point(17), vector: [17 / 7 + 3e-7, 1 - 17 / 9] })],
    ["a point that is missing", (points: Map<number, FakePoint>) => points.delete(17)],
  ] as const) {
    it(`finds ${what} that came back otherwise`, async () => {
      damage(scratch.points);
      await assert.rejects(sampled(), differs(/1 of 50 points .*\(17\)/));
    });
  }

  it("finds a Qdrant that has the points and answers otherwise", async () => {
    scratch.skew = 1.01;
    await assert.rejects(sampled(), differs(/a query has another answer/));
  });

  it("leaves out what was written or deleted meanwhile, whichever of the two the snapshot has", async () => {
    const { points, changed } = await sampled(() => {
      live.points.set(3, point(3, "new"));
      live.points.set(4, point(4, "new"));
      scratch.points.set(4, point(4, "new"));
      live.points.delete(5);
      live.points.set(1000, point(1000));
    });
    assert.deepEqual([points, changed], [47, 3]);
  });

  it("waits for a write that the snapshot had before the live one carried it out", async () => {
    let asks = 0;
    const { points, changed } = await sampled(() => {
      scratch.points.set(9, point(9, "late"));
      live.onAsk = (what) => {
        asks += what === "points" ? 1 : 0;
        if (asks === 4) live.points.set(9, point(9, "late"));
      };
    });
    assert.deepEqual([points, changed], [49, 1]);
  });

  it("asks again about what is left when something is written between two queries", async () => {
    let queries = 0;
    const { points } = await sampled(() => {
      live.onAsk = (what) => {
        if (what === "query" && ++queries === 2) live.points.set(49, { ...point(49), vector: [1e6, 1e6] });
      };
    });
    assert.equal(points, 50);
  });

  it("compares which points are found, not their scores, where those depend on points that users write meanwhile", async () => {
    const hybrid = { params: { vectors: { a: { size: 2, distance: "Dot" } }, sparse_vectors: { b: { modifier: "idf" } } } };
    for (const { points } of [live, scratch]) for (const id of points.keys()) points.set(id, { vector: { a: [id, 1], b: { indices: [id % 3], values: [1] } }, payload: {} });
    const { points, queries } = await sampled(() => (live.idf = 1.3), hybrid);
    assert.deepEqual([points, queries], [50, 6]);
    scratch.blind = true;
    await assert.rejects(sampled(() => (live.idf = 1.3), hybrid), differs(/vector b: a query has another answer/));
  });

  describe("of a collection with strict mode", () => {
    const strict = (mode: Omit<FakeStrictMode, "enabled">): Record<string, unknown> => {
      live.strict = { enabled: true, ...mode };
      return { ...PLAIN, strict_mode_config: live.strict };
    };

    it("keeps to the limits of the live one", async () => {
      assert.deepEqual(await sampled(undefined, strict({ max_query_limit: 20, condition_max_size: 7 })), { points: 20, changed: 0, queries: 3 });
    });

    it("compares points only, and says so, where exact search is refused", async () => {
      assert.deepEqual(await sampled(undefined, strict({ search_allow_exact: false })), { points: 50, changed: 0, queries: 0 });
      assert.match(said.join(), /strict mode refuses exact search/);
    });

    it("waits for the rate limit, and asks by filters of ids, which cost less of it", async () => {
      const asked: string[] = [];
      live.onAsk = (what) => void asked.push(what);
      const config = { ...PLAIN, strict_mode_config: { enabled: true, read_rate_limit: 60 } };
      assert.deepEqual(await sampled(() => (live.limited = 1), config), { points: 50, changed: 0, queries: 3 });
      assert.ok(!asked.includes("points"), asked.join());
    });
  });

  it("takes differences for writes that are seen later where points wait for their optimisation", async () => {
    const sample = await Sample.draw(context, clients.live, "a", PLAIN);
    scratch.points.set(9, point(9, "not seen yet in the live one"));
    assert.deepEqual(await sample.compare(clients.live, clients.scratch, { lookMs: 10, deferred: true }), { points: 49, changed: 1, queries: 3 });
  });

  it("compares nothing, and says so, where everything was written meanwhile", async () => {
    assert.deepEqual(await sampled(() => live.points.forEach((_, id) => live.points.set(id, point(id, "new")))), { points: 0, changed: 50, queries: 0 });
  });

  it("takes the first points of a server that draws none, and asks it nothing that it does not know", async () => {
    live.old = true;
    scratch.old = true;
    assert.deepEqual(await sampled(), { points: 50, changed: 0, queries: 0 });
    assert.match(said.join(), /draws no points at random/);
  });
});
