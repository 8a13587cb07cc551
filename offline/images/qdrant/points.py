"""Points: Qdrant's JSON to the engine's objects and back, with the checks that the engine leaves to its caller."""

import qdrant_edge as edge

from errors import bad_format, bad_input
from filters import to_filter
from schema import named_vectors


class PointReader:
    """Reads points for one collection. Wrong vectors are refused here: the engine would log them before it finds out."""

    def __init__(self, config: dict):
        self._sizes = {name: vector["size"] for name, vector in named_vectors(config).items()}
        self._sparse = set(config["params"].get("sparse_vectors", {}))

    def points(self, body: dict) -> list[edge.Point]:
        """An upsert's points, given one by one or as columns."""
        if "points" in body:
            return [edge.Point(one["id"], self.vector(one["vector"]), one.get("payload")) for one in body["points"]]
        if "batch" not in body:
            raise bad_format("data did not match any variant of untagged enum PointInsertOperations")
        columns = body["batch"]
        ids, payloads = columns["ids"], columns.get("payloads") or [None] * len(columns["ids"])
        vectors = self._rows(columns["vectors"], len(ids))
        if not len(ids) == len(vectors) == len(payloads):
            raise bad_input("number of ids, vectors and payloads must be equal")
        return [edge.Point(*row) for row in zip(ids, map(self.vector, vectors), payloads)]

    def point_vectors(self, body: dict) -> list[edge.PointVectors]:
        return [edge.PointVectors(one["id"], self.vector(one["vector"])) for one in body["points"]]

    @staticmethod
    def _rows(vectors, count: int) -> list:
        if isinstance(vectors, list):
            return vectors
        if any(len(column) != count for column in vectors.values()):
            raise bad_input("number of ids and vectors must be equal")
        return [{name: column[row] for name, column in vectors.items() if column[row] is not None} for row in range(count)]

    def vector(self, value):
        """A vector or vectors by name."""
        if not isinstance(value, dict):
            return self._dense("", value)
        return {name: self._one(name, vector) for name, vector in value.items()}

    def _one(self, name: str, value):
        if name in self._sparse:
            return to_query_vector(value)
        return self._dense(name, value)

    def _dense(self, name: str, value):
        if name not in self._sizes:
            raise bad_input(f"Not existing vector name error: {name}")
        if not isinstance(value, list) or not value:
            raise bad_format("data did not match any variant of untagged enum VectorStruct")
        for row in value if isinstance(value[0], list) else [value]:
            if len(row) != self._sizes[name]:
                raise bad_input(f"Vector dimension error: expected dim: {self._sizes[name]}, got {len(row)}")
        return value


def to_query_vector(value):
    """A vector inside a query: dense, multi or sparse."""
    if isinstance(value, dict):
        return edge.SparseVector(value["indices"], value["values"])
    return value


def vector_json(value):
    if isinstance(value, dict):
        return {name: vector_json(vector) for name, vector in value.items()}
    if isinstance(value, edge.SparseVector):
        return {"indices": value.indices, "values": value.values}
    return value


def record_json(record) -> dict:
    """A record or a scored point, as Qdrant writes it."""
    body = {"id": record.id}
    if isinstance(record, edge.ScoredPoint):
        body |= {"version": record.version, "score": record.score}
    if record.payload is not None:
        body["payload"] = record.payload
    if record.vector is not None:
        body["vector"] = vector_json(record.vector)
    if record.order_value is not None:
        body["order_value"] = record.order_value
    return body


def to_payload_selector(value):
    """`with_payload`: a flag, the keys wanted, or what to include or exclude."""
    if isinstance(value, dict):
        if "include" in value:
            return edge.PayloadSelector.Include(value["include"])
        return edge.PayloadSelector.Exclude(value["exclude"])
    return value


def selected(body: dict) -> tuple[list | None, edge.Filter | None]:
    """The points that an update is about: a list of ids, or a filter."""
    if body.get("points") is not None:
        return body["points"], None
    if body.get("filter") is not None:
        return None, to_filter(body["filter"])
    raise bad_format("data did not match any variant of untagged enum PointsSelector")
