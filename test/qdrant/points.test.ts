import assert from "node:assert/strict";
import { nearest, randomIds, retrieve, scroll } from "../../components/qdrant/points.js";
import type { QdrantClient } from "../../components/qdrant/client.js";
import { FakeQdrant } from "../support/fake-qdrant.js";

describe("qdrant/points", () => {
  let qdrant: FakeQdrant;
  let client: QdrantClient;

  beforeEach(async () => {
    qdrant = new FakeQdrant([1, 2, 3].map((id) => [id, { vector: [id, 1], payload: { id } }] as const));
    client = await qdrant.open();
  });

  afterEach(() => qdrant.close());

  it("reads a page without vectors and payloads, which Qdrant then leaves out", async () => {
    const { points, next } = await scroll(client, "a", { offset: null, limit: 2, payload: false, vectors: false });
    assert.deepEqual([points.map(({ id, payload }) => [id, payload]), next], [[["1", null], ["2", null]], "3"]);
    assert.equal((await scroll(client, "a", { offset: next, limit: 2, payload: false, vectors: false })).next, null);
  });

  it("reads points by id, and leaves out those that are not there", async () => {
    const { points, size } = await retrieve(client, "a", ["2", "9"]);
    assert.deepEqual(points, [{ id: "2", payload: { id: 2 }, vector: [2, 1] }]);
    assert.ok(size > 0);
  });

  it("asks for the nearest, of all or of some, and for any", async () => {
    const ask = { vector: [1, 0], using: "", limit: 2, exact: true, timeoutMs: 1000 };
    assert.deepEqual(await nearest(client, "a", ask), [{ id: "3", score: 3 }, { id: "2", score: 2 }]);
    assert.deepEqual(await nearest(client, "a", { ...ask, among: ["1", "2"] }), [{ id: "2", score: 2 }, { id: "1", score: 1 }]);
    assert.deepEqual(await randomIds(client, "a", 9, 1000), ["1", "2", "3"]);
  });
});
