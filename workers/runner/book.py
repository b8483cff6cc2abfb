"""What a run holds, and until when by this process's monotonic clock.

A deadline is counted from before the statement that set the lease was sent, so it is never later
than the database's. Deciding by it needs no agreement of clocks, only of the speed of seconds.
"""

import threading
import time
from collections.abc import Iterable
from uuid import UUID

from db.work import Held


class Book:
    """Leases in hand. Shared by the stages of one run."""

    def __init__(self, lease_seconds: float) -> None:
        self.lease_seconds = lease_seconds
        self._changed = threading.Condition()
        self._held: dict[UUID, tuple[Held, float]] = {}
        self._run_deadline = time.monotonic() + lease_seconds

    def __len__(self) -> int:
        return len(self._held)

    def add(self, held: Iterable[Held], asked_at: float) -> None:
        """Take note of rows leased by a claim sent at `asked_at` (monotonic)."""
        deadline = asked_at + self.lease_seconds
        with self._changed:
            self._held.update({h.subject: (h, deadline) for h in held})

    def drop(self, subjects: Iterable[UUID]) -> None:
        """Forget rows that were settled, released or lost."""
        with self._changed:
            for subject in subjects:
                self._held.pop(subject, None)
            self._changed.notify_all()

    def has_time(self, subject: UUID, seconds: float) -> bool:
        """Whether the lease on `subject`, and on the run itself, surely outlives the next `seconds`."""
        until = time.monotonic() + seconds
        entry = self._held.get(subject)
        return entry is not None and entry[1] > until and self._run_deadline > until

    def run_is_alive(self) -> bool:
        """Whether the run's own lease has time left."""
        return self._run_deadline > time.monotonic()

    def due_for_renewal(self, older_than_seconds: float) -> list[Held]:
        """Rows leased or renewed longer ago than `older_than_seconds`, their leases not yet over."""
        now = time.monotonic()
        limit = now + self.lease_seconds - older_than_seconds
        with self._changed:
            return [held for held, deadline in self._held.values() if now < deadline < limit]

    def renewed(self, subjects: Iterable[UUID], asked_at: float, *, run_too: bool) -> None:
        """Take note of a renewal sent at `asked_at`."""
        deadline = asked_at + self.lease_seconds
        with self._changed:
            for subject in subjects:
                entry = self._held.get(subject)
                if entry is not None:
                    self._held[subject] = (entry[0], deadline)
            if run_too:
                self._run_deadline = deadline

    def lose_run(self) -> None:
        """The run's own lease is gone: nothing new may start."""
        self._run_deadline = 0.0

    def wait_below(self, count: int, timeout_seconds: float) -> bool:
        """Wait until fewer than `count` rows are held."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._held) < count, timeout_seconds)
