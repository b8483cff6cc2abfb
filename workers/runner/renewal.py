"""Renew what a run holds, by a thread of its own: work rows and the run's lease in one statement."""

import threading
import time
from typing import Self

import structlog

from db import work
from db.engine import Database
from domain.errors import ExpectedError
from workers.runner.book import Book

log = structlog.get_logger(__name__)


class Renewal:
    """Extends the leases in `book` every third of a lease until stopped.

    When a renewal fails nothing is pretended: the book's deadlines stay, and once they pass no call
    starts and no answer settles. A run whose own lease was taken over stops at once.
    """

    def __init__(self, database: Database, book: Book, names: list[tuple[str, int]]) -> None:
        self.database, self.book, self.names = database, book, names
        self._first_at = time.monotonic() + book.lease_seconds / 3
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._renew_until_stopped, name="renewal", daemon=True
        )

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        """Renew from now on. Called after a run's first transaction, so that no thread's start delays it."""
        if self._thread.ident is None:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _renew_until_stopped(self) -> None:
        wait = max(0.0, self._first_at - time.monotonic())
        while not self._stop.wait(wait):
            try:
                self.renew_once()
                wait = self.book.lease_seconds / 3
            except ExpectedError as error:
                log.warning("renewal.failed", error=str(error))
                wait = 0.5

    def renew_once(self) -> None:
        """One renewal of what will not last until the one after the next."""
        held = self.book.due_for_renewal(self.book.lease_seconds / 6)
        asked_at = time.monotonic()
        with self.database.begin() as tx:
            subjects, names = work.renew(tx, held, self.names, self.book.lease_seconds)
        lost = {name for name, _ in self.names} - names
        self.book.renewed(subjects, asked_at, run_too=not lost)
        if lost:
            log.warning("lease.lost", names=sorted(lost))
            self.book.lose_run()
