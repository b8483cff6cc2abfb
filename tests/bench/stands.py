"""The servers that everybody is measured on: the product's own embedded ones, a fresh database for each run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.bench.world import World
from workers.bench.stand import Stand

EMPTY = "template1"


@contextmanager
def world(
    stand: Stand, *, gateway_seconds: float = 0.0, only_note: bool = False
) -> Iterator[World]:
    """Yield a world with an empty database and an empty Redis, in which nothing of another run is left."""
    with redis.Redis.from_url(stand.share.broker_url) as client:
        client.flushall()
    with tempfile.TemporaryDirectory(prefix="bursar-peer-") as folder, stand.database(EMPTY) as url:
        yield World(
            url=url,
            broker_url=stand.share.broker_url,
            notes=str(Path(folder) / "notes"),
            gateway_seconds=gateway_seconds,
            only_note=only_note,
        )
