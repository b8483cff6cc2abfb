"""A door in front of a server on this machine: open, or shut so that nobody gets a connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BYTES_MAX = 65_536


class Gate:
    """Passes connections on to `target` while it is open."""

    def __init__(self, target: int) -> None:
        self.target, self.port = target, 0
        self._listener: socket.socket | None = None
        self._ends: set[socket.socket] = set()
        self._lock = threading.Lock()

    def open(self) -> None:
        """Take connections, on the same port each time."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="gate", daemon=True).start()

    def shut(self) -> None:
        """Cut every connection and refuse others."""
        listener, self._listener = self._listener, None
        if listener is not None:
            _close(listener)
        with self._lock:
            ends, self._ends = self._ends, set()
        for end in ends:
            _close(end)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
                with self._lock:
                    self._ends |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


@contextmanager
def gate(target: int) -> Iterator[Gate]:
    """An open gate to the port `target`."""
    made = Gate(target)
    made.open()
    try:
        yield made
    finally:
        made.shut()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(BYTES_MAX):
            sink.sendall(data)
    for end in (source, sink):
        _close(end)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
