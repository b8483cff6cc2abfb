"""Dramatiq's RabbitMQ broker, with our message, quorum queues, no delays and no dead letters."""

from typing import Any, Final, NoReturn

import pika  # type: ignore[import-untyped]  # it has no types
from dramatiq import Message
from dramatiq.broker import MessageProxy
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer, _RabbitmqMessage
from dramatiq.errors import ConnectionClosed

from domain.errors import BrokenError
from workers.broker.refusals import Refusals
from workers.broker.rooms import Room
from workers.broker.wakeups import BODY_BYTES_MAX, decode, message_for

QUEUE_ARGUMENTS: Final[dict[str, Any]] = {
    "x-queue-type": "quorum",
    "x-max-length": 100_000,  # a bell needs no longer memory: the sweep finds the rest
    "x-overflow": "drop-head",
}
SOCKET_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 15
NAME_PREFIX: Final = "bursar."


def parameters(url: str) -> pika.URLParameters:
    """Return how to connect to `url`: each wait bounded, one attempt."""
    found = pika.URLParameters(url)
    found.socket_timeout = SOCKET_SECONDS
    found.stack_timeout = 2 * SOCKET_SECONDS
    found.blocked_connection_timeout = SOCKET_SECONDS
    found.heartbeat = HEARTBEAT_SECONDS
    found.connection_attempts = 1
    return found


class RabbitBroker(RabbitmqBroker):
    """What `start_worker` consumes from, on a RabbitMQ cluster."""

    def __init__(self, url: str, refusals: Refusals) -> None:
        super().__init__(url=url, middleware=[])  # see `opening.MIDDLEWARE`
        self.parameters = parameters(url)
        self.refusals = refusals
        self.rooms: dict[str, Room] = {}

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 500) -> "RabbitConsumer":
        """Return a consumer of `queue_name` that holds as much as its room has seats."""
        self.declare_queue(queue_name, ensure=True)
        room = self.rooms.get(queue_name) or Room(prefetch)
        return RabbitConsumer(self, queue_name, room, timeout)

    def declare_queue(self, queue_name: str, *, ensure: bool = False) -> None:
        """Declare a queue and no delay queue: times live in Postgres."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.queues_pending.add(queue_name)
            self.emit_after("declare_queue", queue_name)
        if ensure:
            self._ensure_queue(queue_name)  # type: ignore[no-untyped-call]  # Dramatiq's

    def enqueue(self, message: Message[object], *, delay: int | None = None) -> NoReturn:
        """Refuse: wake-ups are sent by `Bell`, which is bounded and sends our message."""
        del delay
        text = f"{message.actor_name}: only the bell sends"
        raise BrokenError(text)

    def _declare_queue(self, queue_name: str) -> object:
        return declare(self.channel, queue_name)

    def _declare_dq_queue(self, queue_name: str) -> None:
        """Declare nothing: no delays."""

    def _declare_xq_queue(self, queue_name: str) -> None:
        """Declare nothing: no dead letters."""


class RabbitConsumer(_RabbitmqConsumer):
    """One queue's messages for one process; what is no wake-up is acked and counted."""

    def __init__(self, broker: RabbitBroker, queue: str, room: Room, timeout: int) -> None:
        name = NAME_PREFIX + queue
        super().__init__(broker, name, room.seats, timeout)  # type: ignore[no-untyped-call]  # Dramatiq's
        self._queue, self._room, self._wait_seconds = queue, room, timeout / 1_000

    def __next__(self) -> MessageProxy | None:
        """Return the next wake-up, or None after a bounded wait."""
        if not self._room.take(self._wait_seconds):
            self._pump()
            return None
        found = None
        try:
            found = self._next_good()
        finally:
            if found is None:
                self._room.give()
        return found

    def _next_good(self) -> MessageProxy | None:
        try:
            method, _, body = next(self.iterator)
        except (AssertionError, StopIteration, pika.exceptions.AMQPError) as error:
            self.broker.queues_pending.add(self._queue)
            raise _closed(error) from None
        if method is None:
            return None
        run_id = decode(body) if len(body) <= BODY_BYTES_MAX else None
        if run_id is None:
            self.channel.basic_ack(method.delivery_tag)
            self.broker.refusals.count(self._queue)
            return None
        message = message_for(self._queue, run_id)
        tag = method.delivery_tag
        self.known_tags.add(tag)
        return _RabbitmqMessage(method.redelivered, tag, message)  # type: ignore[no-untyped-call]  # Dramatiq's

    def ack(self, message: MessageProxy) -> None:
        """Forget a message that was handled."""
        if hasattr(message, "_tag"):  # else a run of the sweep's, never in RabbitMQ
            super().ack(message)  # type: ignore[no-untyped-call]  # Dramatiq's

    nack = ack  # there are no dead letters: the run in Postgres says what became of it

    def _pump(self) -> None:
        """Send what acks are waiting, and the heartbeat, while no seat is free."""
        try:
            self.connection.process_data_events(0)
        except pika.exceptions.AMQPError as error:
            raise _closed(error) from None


def declare(channel: Any, queue: str) -> object:  # noqa: ANN401  pika's channels have no public type
    """Make the quorum queue of `queue` where it does not exist."""
    return channel.queue_declare(queue=NAME_PREFIX + queue, durable=True, arguments=QUEUE_ARGUMENTS)


def _closed(error: Exception) -> ConnectionClosed:
    return ConnectionClosed(error)  # type: ignore[no-untyped-call]  # Dramatiq's
