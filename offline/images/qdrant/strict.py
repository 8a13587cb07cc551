"""A collection's strict mode, as Qdrant 1.19.0 enforces it: what a request may ask for, and how much may be read in a minute.

The engine knows nothing of it. Checked are the limits that reads meet, and `upsert_max_batchsize` and `write_rate_limit` of writes.
"""

import math
import threading
import time

from errors import ApiError, bad_request


class RateLimiter:
    """A bucket of one minute's tokens that is filled all the time."""

    def __init__(self, per_minute: int | None, kind: str):
        self._most, self._kind = per_minute, kind
        self._tokens, self._at = float(per_minute or 0), time.monotonic()
        self._lock = threading.Lock()

    def take(self, cost: int) -> None:
        if self._most is None:
            return
        with self._lock:
            if cost > self._most:
                raise self._exceeded("request larger than rate limiter capacity, please try to split your request", ", ", None)
            now = time.monotonic()
            self._tokens, self._at = min(self._most, self._tokens + (now - self._at) * self._most / 60), now
            if self._tokens < cost:
                seconds = math.ceil((cost - self._tokens) * 60 / self._most)
                words = f"Operation requires {cost} tokens but only {self._tokens:.1f} were available. Retry after {seconds}s"
                raise self._exceeded(words, ": ", seconds)
            self._tokens -= cost

    def _exceeded(self, words: str, joint: str, seconds: int | None) -> ApiError:
        headers = {} if seconds is None else {"Retry-After": str(seconds)}
        return ApiError(429, f"Rate limiting exceeded: {self._kind} rate limit exceeded{joint}{words}", headers)


class StrictMode:
    def __init__(self, config: dict | None):
        self._config = config if config and config.get("enabled") else {}
        self._reads = RateLimiter(self._config.get("read_rate_limit"), "Read")
        self._writes = RateLimiter(self._config.get("write_rate_limit"), "Write")

    def read(self, body: dict, *, limit: int | None = None, exact: bool = False, cost: int = 1) -> None:
        """One request to read: its limit, its filter, whether it reads every point, and what it costs."""
        most = self._config.get("max_query_limit")
        if limit is not None and most is not None and limit > most:
            raise _exceeded(limit, most, "limit")
        conditions = _conditions(body.get("filter"))
        if conditions:
            self._check_filter(conditions)
        if exact and self._config.get("search_allow_exact") is False:
            raise bad_request("Exact search disabled!. Help: Set exact=false.")
        self._reads.take(cost + len(conditions))

    def write(self, body: dict) -> None:
        points = body.get("points") if isinstance(body.get("points"), list) else []
        most = self._config.get("upsert_max_batchsize")
        if most is not None and len(points) > most and isinstance(points[0], dict):
            raise _exceeded(len(points), most, "upsert limit")
        self._writes.take(max(1, len(points)))

    def _check_filter(self, conditions: list) -> None:
        most = self._config.get("filter_max_conditions")
        if most is not None and len(conditions) > most:
            raise bad_request(f"Filter condition limit reached ({len(conditions)} > {most}). Help: Reduce the amount of conditions of your filter.")
        size, most = max(_size(one) for one in conditions), self._config.get("condition_max_size")
        if most is not None and size > most:
            raise bad_request(f"Condition size limit reached ({size} > {most}). Help: Reduce the size of your condition.")


def _exceeded(value: int, most: int, name: str) -> ApiError:
    return bad_request(f'Limit exceeded {value} > {most} for "{name}". Help: Reduce the "{name}" parameter to or below {most}.')


def _conditions(body: dict | None) -> list:
    """All of a filter's, those of filters within it as well."""
    found = []
    for clause in ("must", "must_not", "should"):
        value = (body or {}).get(clause)
        for one in value if isinstance(value, list) else [value] if value else []:
            inner = _conditions(one)
            found += inner or [one]
    return found


def _size(condition: dict) -> int:
    if "has_id" in condition:
        return len(condition["has_id"])
    match = condition.get("match") or {}
    return max((len(match[name]) for name in ("any", "except") if name in match), default=1 if "key" in condition else 0)
