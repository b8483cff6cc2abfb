"""A network whose every wait ends at one deadline: look-up, connect, TLS, write and read together.

httpx limits each read by itself, so a body that drips one byte a second never times out. Here the
instant at which a whole exchange must be over is set once per thread, and each socket operation
gets no more than what is left of it.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpcore

_ENDS_AT: Final[ContextVar[float]] = ContextVar("bursar_exchange_ends_at")
"""The instant (monotonic seconds) at which the exchange under way in this thread must be over."""

LOOK_UPS_MAX: Final = 16
"""Name look-ups under way in a process: one that hangs keeps its thread, and its place."""

SocketOption = (
    tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]
)
Addresses = list[tuple[socket.AddressFamily, tuple[Any, ...]]]
Answered = Addresses | OSError | UnicodeError


@contextmanager
def ends_at(instant: float) -> Iterator[None]:
    """Bound every network operation of this thread by `instant` (monotonic seconds)."""
    token = _ENDS_AT.set(instant)
    try:
        yield
    finally:
        _ENDS_AT.reset(token)


def left_seconds(
    late: Callable[[str], httpcore.TimeoutException], asked_seconds: float | None = None
) -> float:
    """Return what is left of this thread's exchange, at most `asked_seconds`; else raise `late`."""
    remaining = _ENDS_AT.get() - time.monotonic()
    if remaining <= 0:
        raise late("the exchange's total time is over")
    return remaining if asked_seconds is None else min(remaining, asked_seconds)


class DeadlineNetwork(httpcore.NetworkBackend):
    """TCP connections for httpcore that know the exchange's deadline."""

    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()
        self._places = threading.BoundedSemaphore(LOOK_UPS_MAX)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers before the deadline."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        options = list(socket_options or ())
        for _family, address in self.addresses(host, port):
            try:
                stream = self._inner.connect_tcp(
                    str(address[0]),
                    port,
                    timeout=left_seconds(httpcore.ConnectTimeout, timeout),
                    local_address=local_address,
                    socket_options=options,
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream)
        raise failure

    def addresses(self, host: str, port: int) -> Addresses:
        """Resolve `host` in a thread of its own: the system's resolver knows no time-out."""
        if not self._places.acquire(timeout=left_seconds(httpcore.ConnectTimeout)):
            raise httpcore.ConnectTimeout("too many name look-ups hang")
        answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(_resolve(host, port))
            finally:
                self._places.release()

        threading.Thread(target=look_up, name="bursar-look-up", daemon=True).start()
        try:
            answer = answers.get(timeout=left_seconds(httpcore.ConnectTimeout))
        except queue.Empty:
            raise httpcore.ConnectTimeout("the name look-up took too long") from None
        if isinstance(answer, list):
            return answer
        raise httpcore.ConnectError(f"the name look-up failed: {answer}") from answer


def _resolve(host: str, port: int) -> Answered:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    return [(family, address) for family, _, _, _, address in found]


class DeadlineStream(httpcore.NetworkStream):
    """One connection, each of whose operations ends at the deadline of the thread that uses it."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is, at most `max_bytes`."""
        return self._inner.read(max_bytes, timeout=left_seconds(httpcore.ReadTimeout, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write the whole of `buffer`."""
        self._inner.write(buffer, timeout=left_seconds(httpcore.WriteTimeout, timeout))

    def close(self) -> None:
        """Close the connection; needs no time."""
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Shake hands; OpenSSL's own time-out covers the whole of it."""
        remaining = left_seconds(httpcore.ConnectTimeout, timeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, remaining))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  httpcore's own signature
        """Return what the connection knows about itself."""
        return self._inner.get_extra_info(info)
