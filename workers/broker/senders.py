"""How wake-ups are written: into Redis by one script call, into RabbitMQ as a burst."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

import redis

from workers.broker.rabbit_links import LINK_FAULTS, NAME_PREFIX, Link, declare, parameters
from workers.broker.redis_links import NAMESPACE, REDIS_SCHEMES, connect
from workers.broker.scripts import RING, Keys
from workers.broker.wakeups import encode

WAITING_MAX: Final = 100_000
"""Longer than this a queue does not grow: with no worker listening, the sweep finds the rest."""
FAULTS: Final = (redis.RedisError, *LINK_FAULTS)
"""What a sender may raise; anything else is a mistake of ours."""


class Sender(Protocol):
    """Writes wake-ups over one link of its own; used by one thread."""

    def send(self, queue: str, run_ids: Sequence[int]) -> int:
        """Send one wake-up per run and return how many were; raises one of `FAULTS`."""

    def rest(self) -> None:
        """Keep the link alive, now and then, while nothing is sent; raises one of `FAULTS`."""

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

    def rest(self) -> None:
        """Do nothing: Redis lets an idle link alone."""

    def close(self) -> None:
        """Close the link."""
        self._client.close()


class RabbitSender:
    """Publishes in a burst, and then asks for a reply, which proves that all of it arrived."""

    def __init__(self, url: str) -> None:
        self._parameters = parameters(url)
        self._link: Link | None = None
        self._declared: set[str] = set()

    def send(self, queue: str, run_ids: Sequence[int]) -> int:
        """Publish one wake-up per run; RabbitMQ has them when this returns."""
        with self._dropping():
            if self._link is None:
                self._link = Link(self._parameters)
            self._publish(self._link, queue, run_ids)
        return len(run_ids)

    def rest(self) -> None:
        """Answer heartbeats, or RabbitMQ would close the link; notice that it is closed."""
        if self._link is not None:
            with self._dropping():
                self._link.pump()

    def close(self) -> None:
        """Close the link."""
        link, self._link = self._link, None
        self._declared.clear()
        if link is not None:
            link.close()

    def _publish(self, link: Link, queue: str, run_ids: Sequence[int]) -> None:
        with link.bounded():
            if queue not in self._declared:
                declare(link.channel, queue)
                self._declared.add(queue)
            for run_id in run_ids:
                link.channel.basic_publish("", NAME_PREFIX + queue, encode(run_id))
            link.channel.queue_declare(NAME_PREFIX + queue, passive=True)  # fails where it is gone

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except LINK_FAULTS:
            self.close()
            raise


def sender_for(url: str) -> Sender:
    """Return the sender for a broker's URL; no link is made yet."""
    return RedisSender(url) if urlsplit(url).scheme in REDIS_SCHEMES else RabbitSender(url)
