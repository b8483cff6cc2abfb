"""What Dramatiq's worker consumes from on RabbitMQ: our message, no delays and no dead letters.

Of Dramatiq's own RabbitMQ broker nothing is used: it declares over a second connection that nobody
answers heartbeats on, restarts a consumer after 3 s, and acks a lost link's messages on the next one.
"""

from typing import NoReturn

import dramatiq
from dramatiq import Message

from domain.errors import BrokenError
from workers.broker.rabbit_consumer import RabbitConsumer
from workers.broker.rabbit_links import parameters
from workers.broker.refusals import Refusals
from workers.broker.rooms import Room


class RabbitBroker(dramatiq.Broker):
    """What `start_worker` consumes from; `rooms` says how much each queue's consumer may hold."""

    def __init__(self, url: str, refusals: Refusals) -> None:
        super().__init__(middleware=[])  # see `opening.MIDDLEWARE`
        self.parameters = parameters(url)
        self.refusals = refusals
        self.rooms: dict[str, Room] = {}
        self.queues: dict[str, None] = {}

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 500) -> RabbitConsumer:
        """Return a consumer of `queue_name` that holds as much as its room has seats.

        It waits `timeout` milliseconds at most, and makes its link when it is first asked.
        """
        room = self.rooms.get(queue_name) or Room(prefetch)
        return RabbitConsumer(self.parameters, queue_name, room, self.refusals, timeout / 1_000)

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue and no delay queue: times live in Postgres."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def enqueue(self, message: Message[object], *, delay: int | None = None) -> NoReturn:
        """Refuse: wake-ups are sent by `Bell`, which is bounded and sends our message."""
        del delay
        text = f"{message.actor_name}: only the bell sends"
        raise BrokenError(text)

    def close(self) -> None:
        """Close nothing: each consumer closes its link."""
