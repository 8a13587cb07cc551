"""Queries: Qdrant's JSON (query, search, scroll, count, facet) to the engine's requests."""

import qdrant_edge as edge

from errors import bad_format, not_found, unsupported
from filters import to_filter
from points import to_payload_selector, to_query_vector


class QueryReader:
    """Reads the queries for one shard; a query by a point's id takes the point's vector from it."""

    def __init__(self, shard: edge.EdgeShard):
        self._shard = shard

    def query(self, body: dict) -> edge.QueryRequest:
        """`POST points/query`."""
        if body.get("lookup_from"):
            raise unsupported("lookup_from")
        used: list = []
        scoring = self._scoring(body.get("query"), body.get("using"), body.get("limit") or 10, used)
        return edge.QueryRequest(
            limit=body.get("limit") or 10,
            offset=body.get("offset") or 0,
            query=scoring,
            prefetches=self._prefetches(body.get("prefetch")),
            filter=without(used, to_filter(body.get("filter"))),
            score_threshold=body.get("score_threshold"),
            params=search_params(body.get("params")),
            with_payload=to_payload_selector(body.get("with_payload") or False),
            with_vector=body.get("with_vector") or False,
        )

    def search(self, body: dict) -> edge.QueryRequest:
        """`POST points/search`: the older form, with the vector and perhaps its name."""
        vector = body["vector"]
        if isinstance(vector, dict):
            return self.query({**body, "query": vector["vector"], "using": vector["name"]})
        return self.query({**body, "query": vector})

    def _prefetches(self, value) -> list[edge.Prefetch]:
        if value is None:
            return []
        return [self._prefetch(one) for one in (value if isinstance(value, list) else [value])]

    def _prefetch(self, body: dict) -> edge.Prefetch:
        used: list = []
        limit = body.get("limit") or 10
        scoring = self._scoring(body.get("query"), body.get("using"), limit, used)
        return edge.Prefetch(
            limit=limit,
            query=scoring,
            prefetches=self._prefetches(body.get("prefetch")),
            params=search_params(body.get("params")),
            filter=without(used, to_filter(body.get("filter"))),
            score_threshold=body.get("score_threshold"),
        )

    def _scoring(self, query, using, limit: int, used: list):
        """What orders the points. The ids that it names are added to `used`: they are not among their own answers."""
        if query is None:
            return None
        name = using or ""
        if not isinstance(query, dict) or "indices" in query:
            return edge.Query.Nearest(self._vector(query, name, used), using)
        if "nearest" in query:
            nearest = self._vector(query["nearest"], name, used)
            if query.get("mmr") is None:
                return edge.Query.Nearest(nearest, using)
            spread = query["mmr"]
            candidates = spread.get("candidates_limit") or limit
            return edge.Mmr(nearest, 1.0 - (spread.get("diversity") or 0.5), candidates, using)
        if "recommend" in query:
            return self._recommend(query["recommend"], name, using, used)
        if "discover" in query:
            discover = query["discover"]
            target = self._vector(discover["target"], name, used)
            return edge.Query.Discover(edge.DiscoverQuery(target, self._pairs(discover.get("context"), name, used)), using)
        if "context" in query:
            return edge.Query.Context(edge.ContextQuery(self._pairs(query["context"], name, used)), using)
        if "order_by" in query:
            return order_by(query["order_by"])
        if "fusion" in query:
            return edge.Fusion.Dbsf() if query["fusion"] == "dbsf" else edge.Fusion.Rrf(k=2)
        if "rrf" in query:
            return edge.Fusion.Rrf(k=query["rrf"].get("k") or 2, weights=query["rrf"].get("weights"))
        if "sample" in query:
            return edge.Sample.Random
        raise unsupported(f"a query of the kind {sorted(query)}")

    def _recommend(self, body: dict, name: str, using, used: list):
        positives = [self._vector(one, name, used) for one in body.get("positive") or []]
        negatives = [self._vector(one, name, used) for one in body.get("negative") or []]
        strategy = body.get("strategy") or "average_vector"
        if strategy == "best_score":
            return edge.Query.RecommendBestScore(edge.RecommendQuery(positives, negatives), using)
        if strategy == "sum_scores":
            return edge.Query.RecommendSumScores(edge.RecommendQuery(positives, negatives), using)
        if not positives:
            raise bad_format("at least one positive vector is needed for the average_vector strategy")
        average = _mean(positives)
        if negatives:
            average = [2 * plus - minus for plus, minus in zip(average, _mean(negatives))]
        return edge.Query.Nearest(average, using)

    def _pairs(self, value, name: str, used: list) -> list[edge.ContextPair]:
        pairs = value if isinstance(value, list) else [value] if value else []
        return [edge.ContextPair(self._vector(one["positive"], name, used), self._vector(one["negative"], name, used)) for one in pairs]

    def _vector(self, value, name: str, used: list):
        if not isinstance(value, (int, str)):
            return to_query_vector(value)
        found = self._shard.retrieve([value], False, True)
        if not found:
            raise not_found(f"No point with id {value} found")
        used.append(value)
        vector = found[0].vector
        return vector[name] if isinstance(vector, dict) else vector


def _mean(vectors: list[list[float]]) -> list[float]:
    return [sum(column) / len(vectors) for column in zip(*vectors)]


def without(ids: list, condition: edge.Filter | None) -> edge.Filter | None:
    if not ids:
        return condition
    return edge.Filter(must=[condition] if condition else None, must_not=[edge.HasIdCondition(set(ids))])


def search_params(body: dict | None) -> edge.SearchParams | None:
    if not body:
        return None
    quantization = body.get("quantization")
    if quantization:
        quantization = edge.QuantizationSearchParams(
            quantization.get("ignore") or False, quantization.get("rescore"), quantization.get("oversampling")
        )
    return edge.SearchParams(body.get("hnsw_ef"), body.get("exact") or False, quantization, body.get("indexed_only") or False)


def order_by(body) -> edge.OrderBy:
    if isinstance(body, str):
        return edge.OrderBy(body)
    direction = edge.Direction.Desc if body.get("direction") == "desc" else edge.Direction.Asc
    return edge.OrderBy(body["key"], direction, body.get("start_from"))


def scroll(body: dict) -> edge.ScrollRequest:
    with_payload = body.get("with_payload")
    return edge.ScrollRequest(
        offset=body.get("offset"),
        limit=body.get("limit") or 10,
        filter=to_filter(body.get("filter")),
        with_payload=to_payload_selector(True if with_payload is None else with_payload),
        with_vector=body.get("with_vector") or False,
        order_by=order_by(body["order_by"]) if body.get("order_by") else None,
    )


def count(body: dict) -> edge.CountRequest:
    return edge.CountRequest(exact=body.get("exact", True) is not False, filter=to_filter(body.get("filter")))


def facet(body: dict) -> edge.FacetRequest:
    return edge.FacetRequest(body["key"], body.get("limit") or 10, body.get("exact") or False, to_filter(body.get("filter")))
