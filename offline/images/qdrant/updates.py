"""Updates of points: from a request's JSON to the operations that the engine logs and applies."""

import qdrant_edge as edge

from errors import bad_format, unsupported
from filters import to_filter
from points import PointReader, selected

Operation = edge.UpdateOperation

_MODES = {
    "upsert": edge.UpdateMode.Upsert,
    "insert_only": edge.UpdateMode.InsertOnly,
    "update_only": edge.UpdateMode.UpdateOnly,
}


def upsert(body: dict, reader: PointReader):
    mode = _MODES[body["update_mode"]] if body.get("update_mode") else None
    return Operation.upsert_points(reader.points(body), to_filter(body.get("update_filter")), mode)


def delete(body: dict, _reader: PointReader):
    ids, matching = selected(body)
    return Operation.delete_points(ids) if ids is not None else Operation.delete_points_by_filter(matching)


def set_payload(body: dict, _reader: PointReader):
    ids, matching = selected(body)
    if ids is not None:
        return Operation.set_payload(ids, body["payload"], body.get("key"))
    return Operation.set_payload_by_filter(matching, body["payload"], body.get("key"))


def overwrite_payload(body: dict, _reader: PointReader):
    ids, matching = selected(body)
    if ids is not None:
        return Operation.overwrite_payload(ids, body["payload"], body.get("key"))
    return Operation.overwrite_payload_by_filter(matching, body["payload"], body.get("key"))


def delete_payload(body: dict, _reader: PointReader):
    ids, matching = selected(body)
    if ids is not None:
        return Operation.delete_payload(ids, body["keys"])
    return Operation.delete_payload_by_filter(matching, body["keys"])


def clear_payload(body: dict, _reader: PointReader):
    ids, matching = selected(body)
    return Operation.clear_payload(ids) if ids is not None else Operation.clear_payload_by_filter(matching)


def update_vectors(body: dict, reader: PointReader):
    return Operation.update_vectors(reader.point_vectors(body), to_filter(body.get("update_filter")))


def delete_vectors(body: dict, _reader: PointReader):
    ids, matching = selected(body)
    names = body.get("vector") or body.get("vectors")
    if ids is not None:
        return Operation.delete_vectors(ids, names)
    return Operation.delete_vectors_by_filter(matching, names)


_BATCH = {
    function.__name__: function
    for function in (upsert, set_payload, overwrite_payload, delete_payload, clear_payload, update_vectors, delete_vectors, delete)
}


def batch(body: dict, reader: PointReader) -> list:
    """The operations of `POST points/batch`, read in full before the first is applied."""
    operations = []
    for one in body["operations"]:
        if len(one) != 1:
            raise bad_format("each operation of a batch has exactly one key")
        ((name, inner),) = one.items()
        if name not in _BATCH:
            raise unsupported(f"the batch operation {name}")
        operations.append(_BATCH[name](inner, reader))
    return operations
