"""The client's own deadline: a server that is frozen can only be left by closing the socket here.

Server-side time-outs do not run in a stopped backend, and a kernel time-out does not see one whose
kernel still answers. One thread per process shuts down the socket of a transaction that has
outlived its limit; libpq then reads an end of file and raises.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Watchdog:
    """Shuts down sockets whose time has passed. Its thread is started by a guard, and ended by `rest`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._guarded: dict[int, tuple[float, socket.socket]] = {}
        self._next = 0
        self._thread: threading.Thread | None = None

    @contextmanager
    def guard(self, fileno: int, seconds: float) -> Iterator[None]:
        """Shut down the socket behind `fileno` if the block lasts longer than `seconds`."""
        peer = socket.socket(fileno=os.dup(fileno))
        with self._changed:
            self._next += 1
            number = self._next
            self._guarded[number] = (time.monotonic() + seconds, peer)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._watch, name="database-deadline", daemon=True
                )
                self._thread.start()
        try:
            yield
        finally:
            with self._changed:
                self._guarded.pop(number, None)
            peer.close()

    def rest(self) -> None:
        """End the thread until the next guard."""
        with self._changed:
            self._thread = None
            self._changed.notify_all()

    def _watch(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                if self._thread is not me:
                    return
                now = time.monotonic()
                for number, (limit, peer) in list(self._guarded.items()):
                    if limit <= now:
                        del self._guarded[number]
                        _shut(peer)
                self._changed.wait(0.5)


def _shut(peer: socket.socket) -> None:
    try:
        peer.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already: there is nothing left to wait for
