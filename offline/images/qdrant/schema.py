"""Collection settings and payload indexes: Qdrant's JSON to the engine's objects, and the defaults that Qdrant reports."""

import qdrant_edge as edge

from errors import bad_format, bad_input, unsupported

HNSW = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000, "max_indexing_threads": 0, "on_disk": False}
OPTIMIZER = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 0,
    "max_segment_size": None,
    "memmap_threshold": None,
    "indexing_threshold": 10000,
    "flush_interval_sec": 5,
    "max_optimization_threads": None,
    "prevent_unoptimized": None,
}
# Settings whose change leaves the stored points as they are.
NOT_STORED = {"strict_mode_config", "metadata"}
WAL = {"wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1}

_DISTANCES = {name: getattr(edge.Distance, name) for name in ("Cosine", "Euclid", "Dot", "Manhattan")}
_DATATYPES = {
    "float32": edge.VectorStorageDatatype.Float32,
    "float16": edge.VectorStorageDatatype.Float16,
    "uint8": edge.VectorStorageDatatype.Uint8,
}
_INDEXES = {
    "keyword": edge.KeywordIndexParams,
    "integer": edge.IntegerIndexParams,
    "float": edge.FloatIndexParams,
    "geo": edge.GeoIndexParams,
    "text": edge.TextIndexParams,
    "bool": edge.BoolIndexParams,
    "datetime": edge.DatetimeIndexParams,
    "uuid": edge.UuidIndexParams,
}
_TOKENIZERS = {name.lower(): getattr(edge.TokenizerType, name) for name in ("Prefix", "Whitespace", "Word", "Multilingual")}


def _given(body: dict | None) -> dict:
    return {name: value for name, value in (body or {}).items() if value is not None}


def collection_config(body: dict) -> dict:
    """What a collection is: the request to create it, completed with Qdrant's defaults. It is what `GET` reports."""
    params = {
        "vectors": body.get("vectors") or {},
        "shard_number": body.get("shard_number") or 1,
        "replication_factor": body.get("replication_factor") or 1,
        "write_consistency_factor": body.get("write_consistency_factor") or 1,
        "on_disk_payload": body.get("on_disk_payload", True),
    }
    for name in ("sharding_method", "read_fan_out_factor", "read_fan_out_delay_ms", "payload", "sparse_vectors"):
        if body.get(name):
            params[name] = body[name]
    _refuse(body)
    return {
        "params": params,
        "hnsw_config": {**HNSW, **_given(body.get("hnsw_config"))},
        "optimizer_config": {**OPTIMIZER, **_given(body.get("optimizers_config"))},
        "wal_config": {**WAL, **_given(body.get("wal_config"))},
        "quantization_config": body.get("quantization_config"),
        **{name: _given(body[name]) for name in ("strict_mode_config", "metadata") if body.get(name)},
    }


def _refuse(body: dict) -> None:
    """What the engine would take for something else: it has one shard, and no points that wait to be optimised."""
    if body.get("sharding_method") == "custom":
        raise unsupported("custom sharding")
    if (body.get("optimizers_config") or {}).get("prevent_unoptimized"):
        raise unsupported("prevent_unoptimized")
    vectors = body.get("vectors") or {}
    for vector in [vectors] if "size" in vectors else vectors.values():
        if not isinstance(vector.get("size"), int) or vector["size"] < 1 or vector.get("distance") not in _DISTANCES:
            raise bad_format("data did not match any variant of untagged enum VectorsConfig")


def named_vectors(config: dict) -> dict[str, dict]:
    """The dense vectors by name; the unnamed one has the name ''."""
    vectors = config["params"]["vectors"]
    return {"": vectors} if "size" in vectors else vectors


def updated(config: dict, change: dict) -> dict:
    """The settings after a `PATCH`."""
    params = {**config["params"], **_given(change.get("params"))}
    return {
        **config,
        "params": params,
        "hnsw_config": {**config["hnsw_config"], **_given(change.get("hnsw_config"))},
        "optimizer_config": {**config["optimizer_config"], **_given(change.get("optimizers_config"))},
        "quantization_config": change.get("quantization_config", config["quantization_config"]),
        **{name: {**config.get(name, {}), **_given(change[name])} for name in ("metadata", "strict_mode_config") if change.get(name)},
    }


def changes_storage(change: dict) -> bool:
    """Whether a `PATCH` is about how points are kept."""
    return bool(set(change) - NOT_STORED - {"params"} or {"on_disk_payload", "payload"} & set(change.get("params") or {}))


def engine_config(config: dict) -> edge.EdgeConfig:
    params = config["params"]
    optimizer = config["optimizer_config"]
    return edge.EdgeConfig(
        vectors={name: _dense(body) for name, body in named_vectors(config).items()},
        sparse_vectors={name: _sparse(body or {}) for name, body in params.get("sparse_vectors", {}).items()},
        on_disk_payload=params["on_disk_payload"],
        hnsw_config=_hnsw(config["hnsw_config"]),
        quantization_config=_quantization(config["quantization_config"]),
        optimizers=edge.EdgeOptimizersConfig(
            deleted_threshold=optimizer["deleted_threshold"],
            vacuum_min_vector_number=optimizer["vacuum_min_vector_number"],
            default_segment_number=optimizer["default_segment_number"],
            max_segment_size=optimizer["max_segment_size"],
            indexing_threshold=optimizer["indexing_threshold"],
        ),
    )


def _dense(body: dict) -> edge.EdgeVectorParams:
    if body["distance"] not in _DISTANCES:
        raise bad_format(f"unknown variant `{body['distance']}`, expected one of {', '.join(_DISTANCES)}")
    hnsw = body.get("hnsw_config")
    return edge.EdgeVectorParams(
        size=body["size"],
        distance=_DISTANCES[body["distance"]],
        on_disk=body.get("on_disk"),
        multivector_config=edge.MultiVectorConfig(edge.MultiVectorComparator.MaxSim) if body.get("multivector_config") else None,
        datatype=_DATATYPES[body["datatype"]] if body.get("datatype") else None,
        quantization_config=_quantization(body.get("quantization_config")),
        hnsw_config=_hnsw({**HNSW, **_given(hnsw)}) if hnsw else None,
    )


def _sparse(body: dict) -> edge.EdgeSparseVectorParams:
    index = body.get("index") or {}
    return edge.EdgeSparseVectorParams(
        full_scan_threshold=index.get("full_scan_threshold"),
        on_disk=index.get("on_disk"),
        modifier=edge.Modifier.Idf if body.get("modifier") == "idf" else None,
    )


def _hnsw(body: dict) -> edge.HnswIndexConfig:
    names = ("m", "ef_construct", "full_scan_threshold", "max_indexing_threads", "on_disk", "payload_m")
    return edge.HnswIndexConfig(**{name: body[name] for name in names if body.get(name) is not None})


def _quantization(body: dict | None):
    if not body:
        return None
    if "scalar" in body:
        scalar = body["scalar"]
        return edge.ScalarQuantizationConfig(edge.ScalarType.Int8, scalar.get("quantile"), scalar.get("always_ram"))
    if "binary" in body:
        return edge.BinaryQuantizationConfig(body["binary"].get("always_ram"))
    if "product" in body:
        ratio = getattr(edge.CompressionRatio, body["product"]["compression"].upper())
        return edge.ProductQuantizationConfig(ratio, body["product"].get("always_ram"))
    raise unsupported(f"quantization {sorted(body)}")


def payload_index(schema: str | dict):
    """A payload index, from its type's name or from its parameters."""
    body = {"type": schema} if isinstance(schema, str) else dict(schema)
    kind = body.pop("type", None)
    if kind not in _INDEXES:
        raise bad_format(f"unknown payload index type `{kind}`, expected one of {', '.join(_INDEXES)}")
    options = _given(body)
    if "tokenizer" in options:
        options["tokenizer"] = _TOKENIZERS[options["tokenizer"]]
    if set(options) & {"stopwords", "stemmer"}:
        raise unsupported("a text index with stop words or a stemmer")
    try:
        return _INDEXES[kind](**options)
    except TypeError as error:
        raise bad_input(f"payload index: {error}") from error
