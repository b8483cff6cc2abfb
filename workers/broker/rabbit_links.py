"""Links to RabbitMQ: every wait bounded, quorum queues, and nothing that outlives its use."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pika  # type: ignore[import-untyped]  # it has no types

from db.deadline import Watchdog

QUEUE_ARGUMENTS: Final[dict[str, Any]] = {
    "x-queue-type": "quorum",
    "x-max-length": 100_000,  # a bell needs no longer memory: the sweep finds the rest
    "x-overflow": "drop-head",
}
SOCKET_SECONDS: Final = 1.0
STEP_SECONDS_MAX: Final = 3.0
"""What a link is given for one exchange; pika itself would wait for a reply without an end."""
HEARTBEAT_SECONDS: Final = 15
NAME_PREFIX: Final = "bursar."
LINK_FAULTS: Final = (pika.exceptions.AMQPError, OSError)


def parameters(url: str) -> pika.URLParameters:
    """Return how to connect to `url`: each wait bounded, one attempt."""
    found = pika.URLParameters(url)
    found.socket_timeout = SOCKET_SECONDS
    found.stack_timeout = 2 * SOCKET_SECONDS
    found.blocked_connection_timeout = SOCKET_SECONDS
    found.heartbeat = HEARTBEAT_SECONDS
    found.connection_attempts = 1
    return found


def declare(channel: Any, queue: str) -> int:  # noqa: ANN401  pika's channels have no public type
    """Make the quorum queue of `queue` where it does not exist; return how many messages wait in it."""
    declared = channel.queue_declare(
        queue=NAME_PREFIX + queue, durable=True, arguments=QUEUE_ARGUMENTS
    )
    return int(declared.method.message_count)


class Link:
    """One connection with one channel, for one thread; each exchange stands in `bounded`."""

    def __init__(self, how: pika.URLParameters) -> None:
        calm_pika()
        self.connection = pika.BlockingConnection(how)
        self._watchdog = Watchdog()
        with self.whole(), self.bounded():
            self.channel = self.connection.channel()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Close the link where the block fails: it is whole, or there is none."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Let the block last `STEP_SECONDS_MAX`, then cut the link: pika raises what it sees of that."""
        with self._watchdog.guard(_fileno(self.connection), STEP_SECONDS_MAX):
            yield

    def pump(self) -> None:
        """Send what is waiting to be sent, and answer heartbeats."""
        with self.bounded():
            self.connection.process_data_events(0)

    def close(self) -> None:
        """Say goodbye, if anybody is there to hear it."""
        try:
            if self.connection.is_open:
                with self.bounded():
                    self.connection.close()
        except LINK_FAULTS:
            return  # it is gone, which is what was wanted
        finally:
            self._watchdog.rest()


@contextmanager
def linked(how: pika.URLParameters) -> Iterator[Link]:
    """Yield a link for a moment; it is closed afterwards."""
    link = Link(how)
    try:
        yield link
    finally:
        link.close()


def calm_pika() -> None:
    """Let pika say nothing: it reports one lost link in six errors, and we in one warning."""
    logging.getLogger("pika").setLevel(logging.CRITICAL)


def _fileno(connection: Any) -> int:  # noqa: ANN401  the same
    """Return the socket's number, which pika gives nobody."""
    transport = connection._impl._transport  # noqa: SLF001  there is no other way to its socket
    if transport is None:
        raise pika.exceptions.ConnectionWrongStateError("the link is gone")
    number: int = transport._sock.fileno()  # noqa: SLF001  the same
    return number
