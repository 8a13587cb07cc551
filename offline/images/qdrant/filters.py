"""Filters: Qdrant's JSON to the engine's objects."""

import qdrant_edge as edge

from errors import bad_format, unsupported

_MATCHES = {
    "value": edge.MatchValue,
    "text": edge.MatchText,
    "text_any": edge.MatchTextAny,
    "phrase": edge.MatchPhrase,
    "any": edge.MatchAny,
    "except": edge.MatchExcept,
}


def to_filter(body: dict | None) -> edge.Filter | None:
    """A filter with must, should, must_not and min_should; None stays None (everything matches)."""
    if body is None:
        return None
    unknown = set(body) - {"must", "should", "must_not", "min_should"}
    if unknown:
        raise bad_format(f"unknown field `{sorted(unknown)[0]}` in a filter")
    clauses = {name: _conditions(body.get(name)) for name in ("must", "should", "must_not")}
    least = body.get("min_should")
    if least is not None:
        least = edge.MinShould(_conditions(least["conditions"]), least["min_count"])
    return edge.Filter(min_should=least, **clauses)


def _conditions(value):
    if value is None:
        return None
    return [to_condition(one) for one in (value if isinstance(value, list) else [value])]


def to_condition(body: dict):
    """One condition; a filter inside a filter is a condition as well."""
    if "key" in body:
        return _field(body)
    if "has_id" in body:
        return edge.HasIdCondition(set(body["has_id"]))
    if "has_vector" in body:
        return edge.HasVectorCondition(body["has_vector"])
    if "is_empty" in body:
        return edge.IsEmptyCondition(body["is_empty"]["key"])
    if "is_null" in body:
        return edge.IsNullCondition(body["is_null"]["key"])
    if "nested" in body:
        return edge.NestedCondition(body["nested"]["key"], to_filter(body["nested"]["filter"]))
    return to_filter(body)


def _field(body: dict) -> edge.FieldCondition:
    parts = {}
    if body.get("match") is not None:
        parts["match"] = _match(body["match"])
    if body.get("range") is not None:
        parts["range"] = _range(body["range"])
    if body.get("values_count") is not None:
        parts["values_count"] = edge.ValuesCount(**body["values_count"])
    if body.get("geo_radius") is not None:
        circle = body["geo_radius"]
        parts["geo_radius"] = edge.GeoRadius(_geo(circle["center"]), circle["radius"])
    if body.get("geo_bounding_box") is not None:
        box = body["geo_bounding_box"]
        parts["geo_bounding_box"] = edge.GeoBoundingBox(_geo(box["top_left"]), _geo(box["bottom_right"]))
    if body.get("geo_polygon") is not None:
        rings = body["geo_polygon"]
        inner = [[_geo(point) for point in ring["points"]] for ring in rings.get("interiors") or []]
        parts["geo_polygon"] = edge.GeoPolygon([_geo(point) for point in rings["exterior"]["points"]], inner)
    for flag in ("is_empty", "is_null"):
        if body.get(flag) is not None:
            parts[flag] = body[flag]
    if not parts:
        raise bad_format("at least one field condition must be specified")
    return edge.FieldCondition(body["key"], **parts)


def _match(body: dict):
    for name, make in _MATCHES.items():
        if name in body:
            return make(body[name])
    raise unsupported(f"match by {sorted(body)}")


def _range(body: dict):
    bounds = {name: value for name, value in body.items() if value is not None}
    if any(isinstance(value, str) for value in bounds.values()):
        return edge.RangeDateTime(**bounds)
    return edge.RangeFloat(**bounds)


def _geo(body: dict) -> edge.GeoPoint:
    return edge.GeoPoint(body["lon"], body["lat"])
