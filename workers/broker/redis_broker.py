"""Dramatiq's Redis broker, with our message, a consumer that waits and does not poll, no delays."""

from typing import TYPE_CHECKING, Final, NoReturn

from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker

from domain.errors import BrokenError
from workers.broker.redis_consumer import DoorbellConsumer
from workers.broker.redis_links import NAMESPACE
from workers.broker.refusals import Refusals
from workers.broker.rooms import Room
from workers.broker.scripts import TAKE

if TYPE_CHECKING:
    import redis

HEARTBEAT_MILLISECONDS: Final = 15_000
"""A process silent for this long loses the messages it holds to the others."""
MAINTENANCE_ALWAYS: Final = 1_000_000
"""Of a million calls look for dead processes; Dramatiq's 1,000 give messages back after 709 s."""


class DoorbellBroker(RedisBroker):
    """What `start_worker` consumes from; `rooms` says how much each queue's consumer may hold."""

    def __init__(self, client: "redis.Redis", refusals: Refusals, *, blocking: bool) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # Dramatiq's
            client=client,
            middleware=[],  # see `opening.MIDDLEWARE`
            namespace=NAMESPACE,
            heartbeat_timeout=HEARTBEAT_MILLISECONDS,
            maintenance_chance=MAINTENANCE_ALWAYS,
        )
        self.refusals = refusals
        self.blocking = blocking
        self.rooms: dict[str, Room] = {}
        self.take = client.register_script(TAKE)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 500) -> DoorbellConsumer:
        """Return a consumer of `queue_name`; waits `timeout` milliseconds at most.

        How much it may hold is the room's business: one message per thread, none ahead.
        """
        room = self.rooms.get(queue_name) or Room(prefetch)
        return DoorbellConsumer(self, queue_name, room, timeout / 1_000)

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue and no delay queue: times live in Postgres."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[object], *, delay: int | None = None) -> NoReturn:
        """Refuse: wake-ups are sent by `Bell`, which is bounded and sends our message."""
        del delay
        text = f"{message.actor_name}: only the bell sends"
        raise BrokenError(text)

    def close(self) -> None:
        """Close every link."""
        self.client.close()
