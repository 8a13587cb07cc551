"""One collection: a directory with its settings and one shard of Qdrant's engine.

    <storage>/collections/<name>/config.json    settings, payload indexes as asked for, the shard's directory
    <storage>/collections/<name>/shard-<id>/    segments and write-ahead log
    <storage>/collections/<name>/shard_0.initializing    a restore is under way; one that a start finds makes the shard dirty

`config.json` names the shard's directory and is replaced atomically, so it decides what is there: a directory without it, or a
shard that it does not name, is a leftover of something that was interrupted.
"""

import shutil
import sys
import threading
import uuid
from pathlib import Path

import qdrant_edge as edge

import schema
from errors import ApiError
from files import read_json, run, write_json
from points import PointReader
from strict import StrictMode

_TYPES = {getattr(edge.PayloadSchemaType, name.capitalize()): name for name in (
    "keyword", "integer", "float", "geo", "text", "bool", "datetime", "uuid")}


INITIALIZING = "shard_0.initializing"


class Collection:
    """An open collection. The engine's calls hold Python's lock, so one lock per collection costs nothing."""

    def __init__(self, directory: Path, record: dict, shard: edge.EdgeShard):
        self.directory = directory
        self.lock = threading.RLock()
        # Until a restore succeeds: nothing can be read or written, and no health path says so.
        self.dirty = False
        self._use(record, shard)

    def _use(self, record: dict, shard: edge.EdgeShard) -> None:
        self._record = record
        self.shard = shard
        self.reader = PointReader(record["config"])
        self.strict = StrictMode(record["config"].get("strict_mode_config"))

    @classmethod
    def create(cls, directory: Path, request: dict) -> "Collection":
        config = schema.collection_config(request)
        engine_config = schema.engine_config(config)
        record = {"config": config, "payload_schema": {}, "shard": new_shard_name()}
        path = directory / record["shard"]
        path.mkdir(parents=True)
        shard = edge.EdgeShard.create(str(path), engine_config)
        write_json(directory / "config.json", record)
        return cls(directory, record, shard)

    @classmethod
    def load(cls, directory: Path) -> "Collection":
        """Opens what a former process left, however it ended, and sweeps away what it had not finished."""
        record = read_json(directory / "config.json")
        for other in directory.iterdir():
            if other.name not in ("config.json", record["shard"], INITIALIZING):
                shutil.rmtree(other) if other.is_dir() else other.unlink()
        loaded = cls(directory, record, edge.EdgeShard.load(str(directory / record["shard"])))
        loaded.dirty = (directory / INITIALIZING).exists()
        return loaded

    def initialized(self) -> None:
        (self.directory / INITIALIZING).unlink(missing_ok=True)
        self.dirty = False

    @property
    def config(self) -> dict:
        return self._record["config"]

    @property
    def payload_schema(self) -> dict:
        return self._record["payload_schema"]

    def update(self, *operations: edge.UpdateOperation) -> None:
        for operation in operations:
            self.shard.update(operation)

    def create_index(self, field: str, params: str | dict) -> None:
        self.update(edge.UpdateOperation.create_field_index(field, schema.payload_index(params)))
        self._save(payload_schema={**self.payload_schema, field: params})

    def delete_index(self, field: str) -> None:
        self.update(edge.UpdateOperation.delete_field_index(field))
        self._save(payload_schema={name: params for name, params in self.payload_schema.items() if name != field})

    def reconfigure(self, change: dict) -> None:
        """New settings, and the optimizers' run that Qdrant does at a change of what is stored. It is done by a process of its own,
        since the engine holds Python's lock meanwhile and health paths must go on answering."""
        config = schema.updated(self.config, change)
        if not schema.changes_storage(change):
            self._save(config=config)
            self._use(self._record, self.shard)
            return
        path = str(self.directory / self._record["shard"])
        self.close()
        try:
            edge.EdgeShard.load(path, schema.engine_config(config)).close()
            run(sys.executable, Path(__file__).with_name("optimize.py"), path)
            self._save(config=config)
        finally:
            self._use(self._record, edge.EdgeShard.load(path))

    def _save(self, **changes) -> None:
        record = {**self._record, **changes}
        write_json(self.directory / "config.json", record)
        self._record = record

    def info(self) -> dict:
        info = self.shard.info()
        return {
            "status": "green",
            "optimizer_status": "ok",
            "indexed_vectors_count": info.indexed_vectors_count,
            "points_count": info.points_count,
            "segments_count": info.segments_count,
            "config": self.config,
            "payload_schema": {name: self._index_json(name, index) for name, index in info.payload_schema.items()},
            "update_queue": {"length": 0},
        }

    def _index_json(self, name: str, index) -> dict:
        body = {"data_type": _TYPES[index.data_type], "points": index.points}
        if isinstance(self.payload_schema.get(name), dict):
            body["params"] = self.payload_schema[name]
        return body

    def pack(self, target: Path) -> None:
        """A tar of everything, at one instant; the log's files are sparse and stay so."""
        self.shard.flush()
        run("tar", "--sparse", "-cf", target, "-C", self.directory, "config.json", self._record["shard"])

    def replace(self, record: dict, shard_directory: Path) -> None:
        """The data of a snapshot becomes this collection's; payload indexes that only the old data had are made again."""
        if record["config"]["params"]["vectors"] != self.config["params"]["vectors"]:
            raise ApiError(400, "Wrong input: Snapshot is not compatible with existing collection: vectors differ")
        shard = edge.EdgeShard.load(str(shard_directory))
        old, kept = self._record, {name: params for name, params in self.payload_schema.items() if name not in record["payload_schema"]}
        write_json(self.directory / "config.json", record)
        self.shard.close()
        self._use(record, shard)
        shutil.rmtree(self.directory / old["shard"])
        for field, params in kept.items():
            self.create_index(field, params)

    def close(self) -> None:
        self.shard.flush()
        self.shard.close()


def new_shard_name() -> str:
    return f"shard-{uuid.uuid4().hex[:12]}"
