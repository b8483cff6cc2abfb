"""What came through the broker and was no wake-up: acked, counted, reported, never run."""

import threading
from collections import Counter
from collections.abc import Callable

import structlog

_log = structlog.get_logger(__name__)


def _nobody(_queue: str) -> None:
    """Tell nobody but the log."""


class Refusals:
    """Counts refused messages per queue and tells `tell` (the alarm) of each, by queue name."""

    def __init__(self, tell: Callable[[str], None] = _nobody) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, queue: str) -> None:
        """Count one refused message; logged when the number is a power of two, never its body."""
        with self._lock:
            self._counts[queue] += 1
            number = self._counts[queue]
        if number & (number - 1) == 0:
            _log.warning("broker.message_refused", queue=queue, refused=number)
        self._tell(queue)

    def total(self, queue: str | None = None) -> int:
        """Return how many were refused on one queue, or on all."""
        with self._lock:
            return self._counts.total() if queue is None else self._counts[queue]
