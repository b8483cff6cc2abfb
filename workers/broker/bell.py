"""Ring for runs: best effort, never raising, and never holding the caller for more than a second.

Sending is done by one thread of the bell's own, since no set of socket time-outs bounds a name
look-up, a connect, a handshake and a reply together. While the last attempt failed, callers do not
wait at all: the thread goes on trying, so an absent or frozen broker costs a worker nothing, and
the first wake-up after it is back goes through.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from workers.broker.senders import FAULTS, Sender, sender_for

RING_SECONDS_MAX: Final = 1.0
PENDING_MAX: Final = 256
"""Calls waiting for the thread; more are dropped and counted, the sweep finds their runs."""
REST_SECONDS: Final = 3.0
"""How often a link that nothing is sent through is looked after."""
IDS_MAX: Final = 10_000
"""Wake-ups of one call; the runs beyond are found by those who are woken, or by the sweep."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class _Ring:
    queue: str
    run_ids: Sequence[int]
    done: threading.Event = field(default_factory=threading.Event)
    sent: int = 0


class Bell:
    """Sends wake-ups through the broker at `url`; safe for any number of threads."""

    def __init__(self, url: str, sender: Callable[[str], Sender] = sender_for) -> None:
        self._sender = sender(url)
        self._pending: queue.Queue[_Ring | None] = queue.Queue(PENDING_MAX)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._up = threading.Event()
        self._up.set()
        self.sent = 0
        """Wake-ups sent so far."""
        self.failed = 0
        """Wake-ups not known to be sent: dropped, failed, or unanswered when the time was over."""

    def ring(self, queue_name: str, run_ids: Sequence[int]) -> int:
        """Wake `queue_name` for each run; return how many wake-ups are known to be sent.

        Takes at most `RING_SECONDS_MAX`, and no time where the broker was away just now. Never
        raises: what was not sent is counted in `failed`, and the sweep finds those runs.
        """
        asked = list(dict.fromkeys(run_ids))
        if not asked:
            return 0
        ring = _Ring(queue=queue_name, run_ids=asked[:IDS_MAX])
        sent = 0
        if self._hand_over(ring):
            ring.done.wait(RING_SECONDS_MAX if self._up.is_set() else 0.0)
            sent = ring.sent
            if not ring.done.is_set():
                self._note_away(queue_name, "no answer")
        with self._lock:
            self.sent += sent
            self.failed += len(asked) - sent
        return sent

    def close(self, wait_seconds: float = RING_SECONDS_MAX) -> None:
        """Send what is pending, for up to `wait_seconds`, and close the link."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is None:
            return
        try:
            self._pending.put(None, timeout=wait_seconds)
        except queue.Full:
            return
        thread.join(wait_seconds)

    def _hand_over(self, ring: _Ring) -> bool:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
                self._thread.start()
        try:
            self._pending.put_nowait(ring)
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        while True:
            try:
                ring = self._pending.get(timeout=REST_SECONDS)
            except queue.Empty:
                with suppress(*FAULTS):  # the next ring makes a new link
                    self._sender.rest()
                continue
            if ring is None:
                break
            self._send(ring)
        self._sender.close()

    def _send(self, ring: _Ring) -> None:
        try:
            ring.sent = self._sender.send(ring.queue, ring.run_ids)
        except FAULTS as error:
            self._note_away(ring.queue, type(error).__name__)
        else:
            if not self._up.is_set():
                _log.info("bell.back", queue=ring.queue)
            self._up.set()
        finally:
            ring.done.set()

    def _note_away(self, queue_name: str, error: str) -> None:
        if self._up.is_set():
            _log.warning("bell.away", queue=queue_name, error=error)
        self._up.clear()
