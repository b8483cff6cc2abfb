"""How wake-ups are written: into Redis by one script call, into RabbitMQ as a burst."""

from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import pika  # type: ignore[import-untyped]  # it has no types
import redis

from workers.broker.rabbit_broker import NAME_PREFIX, declare, parameters
from workers.broker.redis_links import NAMESPACE, REDIS_SCHEMES, connect
from workers.broker.scripts import RING, Keys
from workers.broker.wakeups import encode

WAITING_MAX: Final = 100_000
"""Longer than this a queue does not grow: with no worker listening, the sweep finds the rest."""
FAULTS: Final = (redis.RedisError, pika.exceptions.AMQPError, OSError)
"""What a sender may raise; anything else is a mistake of ours."""


class Sender(Protocol):
    """Writes wake-ups over one link of its own; used by one thread."""

    def send(self, queue: str, run_ids: Sequence[int]) -> int:
        """Send one wake-up per run and return how many were; raises one of `FAULTS`."""

    def close(self) -> None:
        """Close the link."""


class RedisSender:
    """One round trip per call, however many ids."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)
        self._ring = self._client.register_script(RING)

    def send(self, queue: str, run_ids: Sequence[int]) -> int:
        """Send one wake-up per run, as many as the queue has room for."""
        keys = Keys.of(NAMESPACE, queue)
        stem = uuid4().hex
        pairs = [part for run_id in run_ids for part in (f"{stem}.{run_id}", encode(run_id))]
        rung = self._ring(keys=[keys.waiting, keys.bodies], args=[WAITING_MAX, *pairs])
        return int(rung)

    def close(self) -> None:
        """Close the link."""
        self._client.close()


class RabbitSender:
    """Publishes without confirms: best effort is what a bell needs."""

    def __init__(self, url: str) -> None:
        self._parameters = parameters(url)
        self._connection: pika.BlockingConnection | None = None
        self._declared: set[str] = set()

    def send(self, queue: str, run_ids: Sequence[int]) -> int:
        """Publish one wake-up per run, then see that the link is still up."""
        try:
            return self._publish(queue, run_ids)
        except FAULTS:
            self._connection = None
            self._declared.clear()
            raise

    def _publish(self, queue: str, run_ids: Sequence[int]) -> int:
        if self._connection is None:
            self._connection = pika.BlockingConnection(self._parameters)
            self._channel = self._connection.channel()
        if queue not in self._declared:
            declare(self._channel, queue)
            self._declared.add(queue)
        for run_id in run_ids:
            self._channel.basic_publish("", NAME_PREFIX + queue, encode(run_id))
        self._connection.process_data_events(0)
        return len(run_ids)

    def close(self) -> None:
        """Close the link."""
        if self._connection is not None and self._connection.is_open:
            self._connection.close()


def sender_for(url: str) -> Sender:
    """Return the sender for a broker's URL; no link is made yet."""
    return RedisSender(url) if urlsplit(url).scheme in REDIS_SCHEMES else RabbitSender(url)
