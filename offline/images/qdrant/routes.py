"""The REST interface as a table: method, path, and what answers it (called in a thread, with a `Call`)."""

import dataclasses

import queries
import updates
from errors import bad_format, invalid
from points import record_json
from queries import QueryReader
from snapshots import Snapshots
from storage import Storage


@dataclasses.dataclass
class Call:
    """A request: what its path and query say, and its JSON body."""

    storage: Storage
    snapshots: Snapshots
    path: dict[str, str]
    query: dict[str, str]
    body: dict

    @property
    def name(self) -> str:
        return self.path["name"]

    @property
    def wait(self) -> bool:
        return self.query.get("wait") == "true"


_done = iter(range(1, 1 << 62)).__next__


def _updated(call: Call) -> dict:
    """The engine has logged and applied it by now, asked to wait or not."""
    return {"operation_id": _done(), "status": "completed" if call.wait else "acknowledged"}


def _update(read):
    def handle(call: Call):
        with call.storage.use(call.name) as collection:
            collection.strict.write(call.body)
            operations = read(call.body, collection.reader)
            collection.update(*(operations if isinstance(operations, list) else [operations]))
        return _updated(call)

    return handle


def _batch(call: Call):
    _update(updates.batch)(call)
    return [_updated(call) for _ in call.body["operations"]]


def _limit(body: dict, where: str) -> int:
    """Of an answer, 10 where none is given."""
    limit = body.get("limit")
    if limit is not None and limit < 1:
        raise invalid(f"in JSON body: [{where}.limit: value {limit} invalid, must be 1 or larger]")
    return 10 if limit is None else limit


def _check_query(collection, body: dict) -> None:
    exact = bool((body.get("params") or {}).get("exact"))
    collection.strict.read(body, limit=_limit(body, "internal"), exact=exact)


def _queried(read_name: str, wrap):
    def handle(call: Call):
        with call.storage.use(call.name) as collection:
            _check_query(collection, call.body)
            request = getattr(QueryReader(collection.shard), read_name)(call.body)
            return wrap([record_json(point) for point in collection.shard.query(request)])

    return handle


def _queried_batch(read_name: str, wrap):
    def handle(call: Call):
        with call.storage.use(call.name) as collection:
            read = getattr(QueryReader(collection.shard), read_name)
            for one in call.body["searches"]:
                _check_query(collection, one)
            found = [collection.shard.query(read(one)) for one in call.body["searches"]]
            return [wrap([record_json(point) for point in points]) for points in found]

    return handle


def _points(points: list) -> dict:
    return {"points": points}


def _scroll(call: Call):
    with call.storage.use(call.name) as collection:
        # As in 1.19.0: the limit that is left out is 10, and is not looked at.
        given = call.body.get("limit")
        collection.strict.read(call.body, limit=None if given is None else _limit(call.body, "scroll_request"))
        points, following = collection.shard.scroll(queries.scroll(call.body))
    return {"points": [record_json(point) for point in points], "next_page_offset": following}


def _retrieve(call: Call):
    body = call.body
    # Unlike in other reads, nothing is given unless it is asked for (1.19.0).
    with_payload = queries.to_payload_selector(body.get("with_payload") or False)
    with call.storage.use(call.name) as collection:
        collection.strict.read({}, cost=len(body["ids"]))
        points = collection.shard.retrieve(body["ids"], with_payload, body.get("with_vector") or False)
    return [record_json(point) for point in points]


def _retrieve_one(call: Call):
    wanted = call.path["id"]
    call.body = {"ids": [int(wanted) if wanted.isdigit() else wanted], "with_payload": True, "with_vector": True}
    found = _retrieve(call)
    if not found:
        raise queries.not_found(f"Point with id {wanted} does not exists!")
    return found[0]


def _count(call: Call):
    with call.storage.use(call.name) as collection:
        collection.strict.read(call.body, exact=call.body.get("exact", True) is not False)
        return {"count": collection.shard.count(queries.count(call.body))}


def _facet(call: Call):
    with call.storage.use(call.name) as collection:
        hits = collection.shard.facet(queries.facet(call.body)).hits
    return {"hits": [{"value": hit.value, "count": hit.count} for hit in hits]}


def _info(call: Call):
    with call.storage.use(call.name) as collection:
        return collection.info()


def _reconfigure(call: Call):
    with call.storage.use(call.name) as collection:
        collection.reconfigure(call.body)
    return True


def _create_index(call: Call):
    if "field_name" not in call.body or "field_schema" not in call.body:
        raise bad_format("missing field `field_name` or `field_schema`")
    with call.storage.use(call.name) as collection:
        collection.create_index(call.body["field_name"], call.body["field_schema"])
    return _updated(call)


def _delete_index(call: Call):
    with call.storage.use(call.name) as collection:
        collection.delete_index(call.path["field"])
    return _updated(call)


_ONE = "/collections/{name}"
TABLE = [
    ("GET", "/collections", lambda call: {"collections": [{"name": name} for name in call.storage.names()]}),
    ("GET", "/aliases", lambda call: {"aliases": call.storage.aliases()}),
    ("POST", "/collections/aliases", lambda call: call.storage.change_aliases(call.body["actions"])),
    ("GET", _ONE, _info),
    ("PUT", _ONE, lambda call: call.storage.create(call.name, call.body)),
    ("PATCH", _ONE, _reconfigure),
    ("DELETE", _ONE, lambda call: call.storage.delete(call.name)),
    ("GET", _ONE + "/exists", lambda call: {"exists": call.storage.exists(call.name)}),
    ("GET", _ONE + "/aliases", lambda call: {"aliases": call.storage.aliases(call.name)}),
    ("PUT", _ONE + "/index", _create_index),
    ("DELETE", _ONE + "/index/{field}", _delete_index),
    ("PUT", _ONE + "/points", _update(updates.upsert)),
    ("POST", _ONE + "/points", _retrieve),
    ("GET", _ONE + "/points/{id}", _retrieve_one),
    ("POST", _ONE + "/points/delete", _update(updates.delete)),
    ("POST", _ONE + "/points/payload", _update(updates.set_payload)),
    ("PUT", _ONE + "/points/payload", _update(updates.overwrite_payload)),
    ("POST", _ONE + "/points/payload/delete", _update(updates.delete_payload)),
    ("POST", _ONE + "/points/payload/clear", _update(updates.clear_payload)),
    ("PUT", _ONE + "/points/vectors", _update(updates.update_vectors)),
    ("POST", _ONE + "/points/vectors/delete", _update(updates.delete_vectors)),
    ("POST", _ONE + "/points/batch", _batch),
    ("POST", _ONE + "/points/scroll", _scroll),
    ("POST", _ONE + "/points/count", _count),
    ("POST", _ONE + "/facet", _facet),
    ("POST", _ONE + "/points/query", _queried("query", _points)),
    ("POST", _ONE + "/points/query/batch", _queried_batch("query", _points)),
    ("POST", _ONE + "/points/search", _queried("search", list)),
    ("POST", _ONE + "/points/search/batch", _queried_batch("search", list)),
    ("GET", _ONE + "/snapshots", lambda call: call.snapshots.list(call.name)),
    ("POST", _ONE + "/snapshots", lambda call: call.snapshots.create(call.name)),
    ("DELETE", _ONE + "/snapshots/{file}", lambda call: call.snapshots.delete(call.name, call.path["file"])),
    ("PUT", _ONE + "/snapshots/recover", lambda call: call.snapshots.recover(call.name, call.body)),
    ("GET", "/quotas", lambda call: call.storage.quotas()),
    ("PUT", "/quotas", lambda call: call.storage.set_quotas(call.body)),
    ("GET", "/snapshots", lambda _call: []),
    ("GET", "/cluster", lambda _call: {"status": "disabled"}),
]

# `wait=false` answers these with a bare 202 and lets them go on.
MAY_GO_ON = {("POST", _ONE + "/snapshots"), ("DELETE", _ONE + "/snapshots/{file}"), ("PUT", _ONE + "/snapshots/recover")}
