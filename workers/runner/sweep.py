"""One run of a Sweep: pages under the lease `job:<name>`, each in a transaction that compares its token."""

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from db import leases, run_states, runs, switches
from db.engine import Database
from db.errors import CommitUnknownError
from db.runs import Started
from db.tx import Tx
from domain.errors import UnreachableError
from domain.tally import Tally, as_json
from jobs.shapes import Page, Sweep
from workers.runner.book import Book
from workers.runner.bounds import Bounds
from workers.runner.outcome import Outcome
from workers.runner.renewal import Renewal

log = structlog.get_logger(__name__)

T = TypeVar("T")

LOST: Final = (UnreachableError, CommitUnknownError)
PAUSE_SECONDS: Final = 0.5
"""Before the database is asked again."""


class SweepRun:
    """Pages through one sweep; a second run of the same job at once is `skipped`, cleanly."""

    def __init__(
        self,
        database: Database,
        job: Sweep,
        run: Started,
        bounds: Bounds,
        *,
        stop: threading.Event,
        worker: str,
    ) -> None:
        self.database, self.job, self.run, self.bounds, self.stop, self.worker = (
            database,
            job,
            run,
            bounds,
            stop,
            worker,
        )
        self.lease = f"job:{job.name}"
        self.tally = Tally()
        self.unfinished = False

    def execute(self) -> Outcome:
        """Run to the end; returns what it did."""
        book, held = Book(self.bounds.lease_seconds), [(f"run:{self.run.id}", self.run.token)]
        renewal = Renewal(self.database, book, held)
        try:
            token = self._patiently(book, self._enter)
        except LOST as error:
            return Outcome(stopped=self.stop.is_set(), reasons=[f"could not begin: {error}"])
        if isinstance(token, str):
            return Outcome(skipped=token)
        held.append((self.lease, token))
        try:
            with renewal:
                renewal.start()
                reasons = self._page_through(book, token)
        finally:  # a page that broke keeps nobody waiting
            self._leave(book, token)
        return Outcome(
            tally=self.tally,
            stopped=self.stop.is_set(),
            reasons=reasons,
            unfinished=self.unfinished,
        )

    def _patiently(self, book: Book, work: Callable[[Tx], T]) -> T:
        """Do what is safe twice, again and again while the run's lease lasts; raises the last of `LOST`."""
        while True:
            try:
                return self.database.transact(work)
            except LOST as error:
                log.warning("sweep.unreachable", job=self.job.name, error=str(error))
                if self.stop.wait(PAUSE_SECONDS) or not book.run_is_alive():
                    raise

    def _enter(self, tx: Tx) -> int | str:
        """Take the job's lease; returns its token, or why this run is to be skipped."""
        covered = run_states.covered_by(tx, self.run.id)
        if covered is not None:
            return f"run {covered} began after this was asked for, and did it"
        if switches.is_on(tx, self.lease):
            return f"held by {self.lease}"
        seconds = self.bounds.lease_seconds
        token = leases.acquire(
            tx, self.lease, run=self.run.id, worker=self.worker, lease_seconds=seconds
        )
        return f"another run of {self.job.name} holds its lease" if token is None else token

    def _leave(self, book: Book, token: int) -> None:
        try:
            self._patiently(book, lambda tx: leases.give_back(tx, self.lease, token))
        except LOST as error:  # it lapses
            log.warning("lease.not_given_back", name=self.lease, error=str(error))

    def _page_through(self, book: Book, token: int) -> list[str]:
        cursor = dict(self.run.cursor or {})
        ends_at = time.monotonic() + self.bounds.budget_seconds * 10
        while not self.stop.is_set():
            if not book.run_is_alive():
                return ["its lease was lost"]
            if time.monotonic() > ends_at:
                self.unfinished = True
                return ["not through in its time: it goes on from its cursor"]
            try:
                page = self.database.transact(lambda tx, at=cursor: self._page(tx, at, token))  # type: ignore[misc]  # bound now
            except LOST as error:
                log.warning("sweep.unreachable", job=self.job.name, error=str(error))
                self.stop.wait(PAUSE_SECONDS)
                continue  # a page is safe twice: what it makes carries unique keys
            if page is None:
                return ["its lease was taken over"]
            self.tally.update(page.tally)
            self.tally.update(self.job.outside())
            if page.cursor is None:
                return []
            cursor = dict(page.cursor)
        return []

    def _page(self, tx: Tx, cursor: dict[str, object], token: int) -> Page | None:
        if not leases.check(tx, self.lease, token):
            return None
        page = self.job.page(tx, cursor, self.run.id)
        runs.save_cursor(tx, self.run, page.cursor or {}, as_json(self.tally + page.tally))
        return page
