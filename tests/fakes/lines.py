"""A server of raw bytes: what no HTTP server would send, sent on purpose."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

SECONDS_MAX = 30.0


class RawServer:
    """Answers every connection with the same parts, a pause after each, and counts them."""

    def __init__(
        self, parts: Sequence[bytes], *, pause_seconds: float = 0.0, close: bool = True
    ) -> None:
        self._parts, self._pause_seconds, self._close = parts, pause_seconds, close
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def run(self) -> None:
        """Serve until stopped."""
        while not self._stop.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with line, suppress(OSError):
                self._answer(line)

    def _answer(self, line: socket.socket) -> None:
        line.settimeout(SECONDS_MAX)
        line.recv(65_536)
        for part in self._parts:
            line.sendall(part)
            if self._stop.wait(self._pause_seconds):
                return
        if not self._close:
            self._stop.wait(SECONDS_MAX)
        # An orderly end: closing with unread bytes would be a reset.
        line.shutdown(socket.SHUT_WR)
        while line.recv(65_536):
            pass

    def stop(self) -> None:
        """Close everything."""
        self._stop.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextmanager
def raw_server(
    *parts: bytes, pause_seconds: float = 0.0, close: bool = True
) -> Iterator[RawServer]:
    """Serve `parts` until the block ends."""
    server = RawServer(parts, pause_seconds=pause_seconds, close=close)
    thread = threading.Thread(target=server.run, name="raw-server", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()
