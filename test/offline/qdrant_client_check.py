"""Runs Qdrant's official Python client against a server: `qdrant_client_check.py URL [API_KEY]`. Prints one line per check.

It is run against the stand-in by test/e2e/qdrant-standin.test.ts; it asks nothing that a real Qdrant would not answer alike.
"""

import math
import sys
import uuid
import warnings

import numpy
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

warnings.simplefilter("ignore")
client = QdrantClient(url=sys.argv[1], api_key=sys.argv[2] if len(sys.argv) > 2 else None, timeout=30)
random = numpy.random.default_rng(7)


def fails(status: int, call) -> str:
    try:
        call()
    except UnexpectedResponse as error:
        assert error.status_code == status, f"expected {status}, got {error.status_code}: {error.content!r}"
        return error.content.decode()
    raise AssertionError(f"expected an answer {status}")


def check(name):
    def wrap(function):
        function()
        print(f"ok {name}", flush=True)

    return wrap


def points(count, size=8):
    vectors = random.random((count, size)).tolist()
    return [
        models.PointStruct(id=i, vector=vectors[i], payload={"n": i, "file": f"f{i % 5}", "tags": ["even"] if i % 2 == 0 else [], "at": f"2024-01-{i % 28 + 1:02}T00:00:00Z"})
        for i in range(count)
    ]


@check("collections")
def _():
    client.create_collection("docs", vectors_config=models.VectorParams(size=8, distance=models.Distance.COSINE))
    assert client.collection_exists("docs") and not client.collection_exists("nothing")
    info = client.get_collection("docs")
    assert info.status == models.CollectionStatus.GREEN and info.points_count == 0
    assert info.config.params.vectors.size == 8
    assert [one.name for one in client.get_collections().collections] == ["docs"]
    assert "already exists" in fails(409, lambda: client.create_collection("docs", vectors_config=models.VectorParams(size=8, distance=models.Distance.DOT)))
    assert "doesn't exist" in fails(404, lambda: client.get_collection("nothing"))
    fails(422, lambda: client.http.collections_api.create_collection("a:b", create_collection=models.CreateCollection(vectors=models.VectorParams(size=8, distance=models.Distance.DOT))))


@check("upsert as list and as columns")
def _():
    client.upsert("docs", points(100))
    more = points(140)[100:]
    client.upsert("docs", models.Batch(ids=[p.id for p in more], vectors=[p.vector for p in more], payloads=[p.payload for p in more]))
    assert client.count("docs", exact=True).count == 140
    key = str(uuid.uuid4())
    client.upsert("docs", [models.PointStruct(id=key, vector=[1.0] * 8, payload={"text": "grüße", "deep": {"a": [1, None, 2.5]}})])
    found = client.retrieve("docs", [key], with_vectors=True)[0]
    assert found.id == key and found.payload == {"text": "grüße", "deep": {"a": [1, None, 2.5]}}
    assert math.isclose(sum(x * x for x in found.vector), 1.0, rel_tol=1e-4)
    client.delete("docs", [key])
    assert client.retrieve("docs", [key]) == []
    assert "dimension" in fails(400, lambda: client.upsert("docs", [models.PointStruct(id=1, vector=[1.0], payload={})]))
    assert client.retrieve("docs", [1])[0].payload["n"] == 1, "a refused upsert must not touch the point"


@check("query, search, by id, batch")
def _():
    target = client.retrieve("docs", [7], with_vectors=True)[0].vector
    best = client.query_points("docs", query=target, limit=3, with_payload=True).points
    assert best[0].id == 7 and math.isclose(best[0].score, 1.0, rel_tol=1e-4) and best[0].payload["n"] == 7
    assert best[0].score >= best[1].score >= best[2].score
    by_id = client.query_points("docs", query=7, limit=2).points
    assert [one.id for one in by_id] == [one.id for one in best[1:]]
    if hasattr(client, "search"):
        assert [one.id for one in client.search("docs", query_vector=target, limit=3)] == [one.id for one in best]
    both = client.query_batch_points("docs", requests=[models.QueryRequest(query=target, limit=1), models.QueryRequest(query=8, limit=1)])
    assert both[0].points[0].id == 7 and both[1].points[0].id != 8
    assert client.query_points("docs", query=target, limit=2, offset=1).points[0].id == best[1].id
    recommended = client.query_points("docs", query=models.RecommendQuery(recommend=models.RecommendInput(positive=[7], negative=[9])), limit=5).points
    assert 7 not in [one.id for one in recommended] and len(recommended) == 5
    exact = client.query_points("docs", query=target, limit=3, search_params=models.SearchParams(exact=True)).points
    assert [one.id for one in exact] == [one.id for one in best]


@check("filters")
def _():
    def count(**clauses):
        return client.count("docs", count_filter=models.Filter(**clauses), exact=True).count

    field = models.FieldCondition
    assert count(must=[field(key="file", match=models.MatchValue(value="f1"))]) == 28
    assert count(must=[field(key="file", match=models.MatchAny(any=["f1", "f2"]))]) == 56
    assert count(must=[field(key="file", match=models.MatchExcept(**{"except": ["f1"]}))]) == 112
    assert count(must=[field(key="n", range=models.Range(gte=10, lt=20))]) == 10
    assert count(must=[field(key="at", range=models.DatetimeRange(lte="2024-01-02T00:00:00Z"))]) == 10
    assert count(must_not=[field(key="n", range=models.Range(gte=10))]) == 10
    assert count(should=[models.HasIdCondition(has_id=[1, 2, 999]), field(key="n", match=models.MatchValue(value=5))]) == 3
    assert count(must=[models.IsEmptyCondition(is_empty=models.PayloadField(key="tags"))]) == 70
    assert count(must=[models.Filter(should=[field(key="n", match=models.MatchValue(value=v)) for v in (1, 2, 3)])]) == 3
    assert count(must=[field(key="tags", values_count=models.ValuesCount(gte=1))]) == 70
    assert count(min_should=models.MinShould(conditions=[field(key="n", range=models.Range(lt=5)), field(key="n", range=models.Range(gt=2))], min_count=2)) == 2
    found = client.query_points("docs", query=[1.0] * 8, query_filter=models.Filter(must=[field(key="file", match=models.MatchValue(value="f3"))]), limit=50).points
    assert len(found) == 28


@check("scroll")
def _():
    seen, offset = [], None
    while True:
        page, offset = client.scroll("docs", limit=33, offset=offset, with_payload=["n"])
        seen += [one.payload["n"] for one in page]
        if offset is None:
            break
    assert seen == list(range(140))


@check("payload: set, overwrite, delete, clear")
def _():
    client.set_payload("docs", payload={"new": 1}, points=[3])
    assert client.retrieve("docs", [3])[0].payload["new"] == 1 and client.retrieve("docs", [3])[0].payload["n"] == 3
    client.set_payload("docs", payload={"new": 2}, points=models.Filter(must=[models.FieldCondition(key="n", range=models.Range(lt=3))]))
    assert [one.payload["new"] for one in client.retrieve("docs", [0, 1, 2])] == [2, 2, 2]
    client.delete_payload("docs", keys=["new"], points=[3])
    assert "new" not in client.retrieve("docs", [3])[0].payload
    before = client.retrieve("docs", [3])[0].payload
    client.overwrite_payload("docs", payload={"only": True}, points=[3])
    assert client.retrieve("docs", [3])[0].payload == {"only": True}
    client.clear_payload("docs", points_selector=[3])
    assert client.retrieve("docs", [3])[0].payload == {}
    client.overwrite_payload("docs", payload=before, points=[3])


@check("payload indexes, order, facet")
def _():
    client.create_payload_index("docs", "file", models.PayloadSchemaType.KEYWORD)
    client.create_payload_index("docs", "n", models.IntegerIndexParams(type="integer", lookup=True, range=True))
    schema = client.get_collection("docs").payload_schema
    assert schema["file"].data_type == models.PayloadSchemaType.KEYWORD and schema["file"].points == 140
    assert schema["n"].params.range is True
    ordered, _ = client.scroll("docs", limit=2, order_by=models.OrderBy(key="n", direction=models.Direction.DESC))
    assert [one.id for one in ordered] == [139, 138]
    hits = {hit.value: hit.count for hit in client.facet("docs", key="file", exact=True).hits}
    assert hits == {f"f{i}": 28 for i in range(5)}
    client.create_payload_index("docs", "gone", models.PayloadSchemaType.KEYWORD)
    client.delete_payload_index("docs", "gone")
    assert set(client.get_collection("docs").payload_schema) == {"file", "n"}


@check("aliases")
def _():
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="docs", alias_name="live"))])
    assert client.count("live").count == 140
    assert client.get_aliases().aliases[0].alias_name == "live"
    assert [one.collection_name for one in client.get_collection_aliases("docs").aliases] == ["docs"]
    client.update_collection_aliases([models.RenameAliasOperation(rename_alias=models.RenameAlias(old_alias_name="live", new_alias_name="main"))])
    assert client.collection_exists("main") and not client.collection_exists("live")
    missing = models.CreateAliasOperation(create_alias=models.CreateAlias(collection_name="nothing", alias_name="x"))
    fails(404, lambda: client.update_collection_aliases([missing]))


@check("named and sparse vectors, fusion")
def _():
    client.create_collection(
        "mixed",
        vectors_config={"text": models.VectorParams(size=4, distance=models.Distance.DOT), "image": models.VectorParams(size=2, distance=models.Distance.EUCLID)},
        sparse_vectors_config={"words": models.SparseVectorParams()},
    )
    client.upsert("mixed", [
        models.PointStruct(id=i, vector={"text": [i, 0, 0, 1], "image": [i, i], "words": models.SparseVector(indices=[i, 100], values=[1.0, 0.5])})
        for i in range(1, 11)
    ])
    assert client.query_points("mixed", query=[1, 0, 0, 0], using="text", limit=1).points[0].id == 10
    assert client.query_points("mixed", query=[3, 3], using="image", limit=1).points[0].id == 3
    assert client.query_points("mixed", query=models.SparseVector(indices=[4], values=[1.0]), using="words", limit=1).points[0].id == 4
    fused = client.query_points("mixed", limit=3, query=models.FusionQuery(fusion=models.Fusion.RRF), prefetch=[
        models.Prefetch(query=[1, 0, 0, 0], using="text", limit=5), models.Prefetch(query=[10, 10], using="image", limit=5)]).points
    assert fused[0].id == 10
    back = client.retrieve("mixed", [5], with_vectors=True)[0].vector
    assert back["image"] == [5, 5] and back["words"].indices == [5, 100]
    client.update_vectors("mixed", [models.PointVectors(id=5, vector={"image": [50, 50]})])
    assert client.retrieve("mixed", [5], with_vectors=["image"])[0].vector == {"image": [50, 50]}


@check("delete by filter, update of settings")
def _():
    client.delete("docs", points_selector=models.Filter(must=[models.FieldCondition(key="n", range=models.Range(gte=130))]))
    assert client.count("docs").count == 130
    client.update_collection("docs", optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1))
    info = client.get_collection("docs")
    assert info.config.optimizer_config.indexing_threshold == 1 and info.points_count == 130
    assert set(info.payload_schema) == {"file", "n"}


@check("snapshots")
def _():
    made = client.create_snapshot("docs")
    assert len(made.checksum) == 64 and made.size > 0 and made.name.startswith("docs-")
    assert [one.name for one in client.list_snapshots("docs")] == [made.name]
    client.delete("docs", points_selector=[1, 2, 3])
    client.recover_snapshot("docs", location=f"file:///qdrant/snapshots/docs/{made.name}", checksum=made.checksum, priority=models.SnapshotPriority.SNAPSHOT)
    assert client.count("docs").count == 130 and set(client.get_collection("docs").payload_schema) == {"file", "n"}
    message = fails(400, lambda: client.recover_snapshot("docs", location=f"file:///qdrant/snapshots/docs/{made.name}", checksum="0" * 64))
    assert "checksum" in message.lower()
    client.recover_snapshot("copy", location=f"file:///qdrant/snapshots/docs/{made.name}", priority=models.SnapshotPriority.SNAPSHOT)
    assert client.count("copy").count == 130 and client.get_collection_aliases("copy").aliases == []
    client.upsert("copy", points(3))
    assert client.retrieve("copy", [0])[0].payload["n"] == 0
    client.delete_snapshot("docs", made.name)
    assert client.list_snapshots("docs") == []


@check("delete a collection, and its aliases with it")
def _():
    for name in ("docs", "mixed", "copy"):
        client.delete_collection(name)
    assert client.get_collections().collections == [] and client.get_aliases().aliases == []
