"""One exchange with a mail server, all of which ends at one instant.

smtplib limits each read by itself, so a reply that drips one byte a second never ends. Here a watch shuts the
connection at the instant, whatever waits on it, and the wait fails as if the server had gone.
"""

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import BufferedReader
from typing import Final

import httpcore

from workers.gateways.deadline import DeadlineNetwork, ends_at
from workers.mail.address import ServerAddress

_NETWORK: Final = DeadlineNetwork()
"""Of it only the look-up of names, which the system's own bounds by nothing."""


class Session(smtplib.SMTP):
    """A connection that was opened elsewhere: to this host, within this time."""

    def __init__(self, connection: socket.socket, host: str, local_name: str) -> None:
        super().__init__(local_hostname=local_name)
        self.sock, self._host = connection, host

    def getreply(self) -> tuple[int, bytes]:
        """Read one reply, whole: smtplib takes what came before a connection broke for all that was said."""
        if self.file is None and self.sock is not None:
            self.file = _WholeLines(self.sock.makefile("rb"))
        return super().getreply()


class _WholeLines:
    """Lines with their ends; one that breaks off is none."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file

    def readline(self, size: int) -> bytes:
        """Return the next line, or nothing where the connection ended before its end."""
        line = self._file.readline(size)
        return line if line.endswith(b"\n") or len(line) == size else b""

    def close(self) -> None:
        """Close it."""
        self._file.close()


@contextmanager
def session(
    address: ServerAddress, tls: ssl.SSLContext, *, local_name: str, ends: float
) -> Iterator[Session]:
    """Yield a greeted session, in TLS and logged in where the address says so, shut at `ends` (monotonic seconds).

    Raises `OSError` or `smtplib.SMTPException` where it does not come to that: no mail has left then.
    """
    connection = _connect(address, ends)
    watch = threading.Timer(max(ends - time.monotonic(), 0), _shut, [connection])
    watch.daemon = True
    watch.start()
    try:
        if address.tls == "implicit":
            connection = _watched(tls.wrap_socket(connection, server_hostname=address.host), watch)
        with closing(Session(connection, address.host, local_name)) as smtp:
            _expect(smtp.getreply(), 220)
            smtp.ehlo_or_helo_if_needed()
            if address.tls == "starttls":
                smtp.starttls(context=tls)
                connection = _watched(smtp.sock or connection, watch)
                smtp.ehlo_or_helo_if_needed()
            if address.user is not None:
                smtp.login(address.user, address.password or "")
            yield smtp
    finally:
        watch.cancel()
        connection.close()


def _connect(address: ServerAddress, ends: float) -> socket.socket:
    failure: OSError = OSError(f"{address.host} has no address")
    try:
        with ends_at(ends):
            found = _NETWORK.addresses(address.host, address.port)
    except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
        raise OSError(str(error)) from error
    for _family, place in found:
        left = ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for it is over")
        try:
            connection = socket.create_connection(place[:2], timeout=left)
        except OSError as error:
            failure = error
        else:
            return connection
    raise failure


def _watched(connection: socket.socket, watch: threading.Timer) -> socket.socket:
    """Let the watch shut what has taken the plain connection's place."""
    watch.args = [connection]
    return connection


def _shut(connection: socket.socket) -> None:
    """End whatever waits on it, on another thread; the TLS layer above is not asked."""
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        return  # it has ended by itself


def _expect(reply: tuple[int, bytes], code: int) -> None:
    if reply[0] != code:
        raise smtplib.SMTPConnectError(*reply)
