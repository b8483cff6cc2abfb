"""A consumer of one quorum queue that no message and no fault ends.

One link, used by one thread: Dramatiq's consumer thread takes messages, and is woken to send the
acks of other threads. An ack goes to the link its message came through, for a tag means another
message on the next one; what was taken through a lost link RabbitMQ gives to somebody by itself.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

import pika  # type: ignore[import-untyped]  # it has no types
import structlog
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy

from workers.broker.rabbit_links import LINK_FAULTS, NAME_PREFIX, Link, declare
from workers.broker.refusals import Refusals
from workers.broker.rooms import Room
from workers.broker.wakeups import BODY_BYTES_MAX, decode, message_for

AFTER_FAULT_SECONDS: Final = 1.0
"""Each try is a log-in, which RabbitMQ writes down."""

_log = structlog.get_logger(__name__)


class _Inlet(Link):
    """A link with a subscription to one queue, holding at most `held_max` messages unacked."""

    def __init__(
        self, how: pika.URLParameters, queue: str, held_max: int, wait_seconds: float
    ) -> None:
        super().__init__(how)
        with self.whole(), self.bounded():
            declare(self.channel, queue)
            self.channel.basic_qos(prefetch_count=held_max)
        self._deliveries = self.channel.consume(
            NAME_PREFIX + queue, inactivity_timeout=wait_seconds
        )

    def next(self) -> tuple[int, bytes] | None:
        """Return the next message's tag and body, or None after the wait."""
        with self.bounded():
            try:
                method, _, body = next(self._deliveries)
            except (AssertionError, StopIteration) as error:  # the queue was deleted
                raise pika.exceptions.ConsumerCancelled(str(error)) from None
        return None if method is None else (method.delivery_tag, body)

    def ack(self, tag: int) -> None:
        """Let the thread of this link ack a message, from whichever thread; too late is no error."""
        with suppress(*LINK_FAULTS):
            self.connection.add_callback_threadsafe(partial(self.channel.basic_ack, tag))


class _Delivered(MessageProxy):
    """A message, and where it is to be acked."""

    def __init__(self, message: Message[None], inlet: _Inlet, tag: int) -> None:
        super().__init__(message)
        self.inlet, self.tag = inlet, tag


class RabbitConsumer(Consumer):
    """One queue's messages for one process; `ack` may come from any thread, the rest from one."""

    def __init__(
        self,
        how: pika.URLParameters,
        queue: str,
        room: Room,
        refusals: Refusals,
        wait_seconds: float,
    ) -> None:
        self._how, self._queue, self._room = how, queue, room
        self._refusals, self._wait_seconds = refusals, wait_seconds
        self._link: _Inlet | None = None
        self._up = True
        self.beat = time.monotonic()
        """When this consumer last did something, on the monotonic clock."""

    def __next__(self) -> MessageProxy | None:
        """Return the next wake-up, or None after a bounded wait. Never raises."""
        self.beat = time.monotonic()
        found = None
        with self._surviving():
            link = self._linked()
            if not self._room.take(self._wait_seconds):
                link.pump()
                return None
            try:
                found = self._next_good(link)
            finally:
                if found is None:
                    self._room.give()
        return found

    def ack(self, message: MessageProxy) -> None:
        """Forget a message that was handled."""
        if isinstance(message, _Delivered):  # else a run of the sweep's, never in RabbitMQ
            message.inlet.ack(message.tag)

    nack = ack  # there are no dead letters: the run in Postgres says what became of it

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Do nothing: what is not acked goes back when the link is closed."""

    def close(self) -> None:
        """Send what acks are left, and close the link: what is unacked goes to others."""
        link, self._link = self._link, None
        if link is not None:
            with suppress(*LINK_FAULTS):
                link.pump()
            link.close()

    def _linked(self) -> _Inlet:
        if self._link is None:
            self._link = _Inlet(self._how, self._queue, self._room.seats, self._wait_seconds)
            if not self._up:
                self._up = True
                _log.info("broker.back", queue=self._queue)
        return self._link

    def _next_good(self, link: _Inlet) -> MessageProxy | None:
        delivered = link.next()
        if delivered is None:
            return None
        tag, body = delivered
        run_id = decode(body) if len(body) <= BODY_BYTES_MAX else None
        if run_id is None:
            link.ack(tag)
            self._refusals.count(self._queue)
            return None
        return _Delivered(message_for(self._queue, run_id), link, tag)

    @contextmanager
    def _surviving(self) -> Iterator[None]:
        """Whatever RabbitMQ does, go on: drop the link, wait a moment, make another."""
        try:
            yield
        except LINK_FAULTS as error:
            if self._up:
                self._up = False
                _log.warning("broker.away", queue=self._queue, error=type(error).__name__)
            link, self._link = self._link, None
            if link is not None:
                link.close()
            time.sleep(AFTER_FAULT_SECONDS)
