"""How often the web faces may be called: windows shared through Redis, or of this process where there is none.

A limit spares the database; it decides about no money. So a Redis that is away, or was emptied, refuses
nobody: this process counts by itself for a while, and says so in its metrics.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import redis
import structlog
from limits import RateLimitItem
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from workers.broker.redis_links import NAMESPACE, REDIS_SCHEMES, connect

SOCKET_SECONDS: Final = 0.25
AWAY_SECONDS: Final = 5.0
"""How long a Redis that failed is not asked again."""
FAULTS: Final = (redis.RedisError, OSError)

PREFIX: Final = f"{NAMESPACE}:limits"

log = structlog.get_logger(__name__)


class Limiter:
    """Counts calls by name. Thread-safe; `url` None, or that of another kind of broker, counts here alone."""

    def __init__(
        self,
        url: str | None,
        *,
        fell_back: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._local = MovingWindowRateLimiter(MemoryStorage())
        # The storage asks whether its timer lives; two that ask at once as it ends break CPython (AssertionError).
        self._alone = threading.Lock()
        self._redis = _client(url)
        self._shared = None if self._redis is None else _shared(self._redis)
        self._fell_back, self._clock = fell_back, clock
        self._away_until = -math.inf

    def wait_seconds(self, limit: RateLimitItem, name: str) -> int | None:
        """Count one call of `name`; None where it may be made, else in how many seconds another may."""
        if self._shared is not None and self._clock() >= self._away_until:
            try:
                return _hit(self._shared, limit, name)
            except FAULTS as error:
                self._away(type(error).__name__)
        if self._shared is not None:
            self._fell_back()
        with self._alone:
            return _hit(self._local, limit, name)

    def close(self) -> None:
        """Close every connection."""
        if self._redis is not None:
            self._redis.close()

    def _away(self, error: str) -> None:
        self._away_until = self._clock() + AWAY_SECONDS
        log.warning("limiter.away", error=error)


def _client(url: str | None) -> "redis.Redis | None":
    if url is None or urlsplit(url).scheme not in REDIS_SCHEMES:
        return None
    return connect(url, socket_seconds=SOCKET_SECONDS)


def _shared(client: "redis.Redis") -> MovingWindowRateLimiter:
    pool = client.connection_pool
    return MovingWindowRateLimiter(RedisStorage("redis://", pool, key_prefix=PREFIX))


def _hit(limiter: MovingWindowRateLimiter, limit: RateLimitItem, name: str) -> int | None:
    if limiter.hit(limit, name):
        return None
    frees_at = limiter.get_window_stats(limit, name).reset_time
    return max(1, math.ceil(frees_at - time.time()))
