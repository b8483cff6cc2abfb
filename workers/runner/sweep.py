"""One run of a Sweep: pages under the lease `job:<name>`, each in a transaction that compares its token."""

import threading
import time

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
        self.tally = Tally()
        self.unfinished = False

    def execute(self) -> Outcome:
        """Run to the end; returns what it did."""
        covered = self.database.transact(lambda tx: run_states.covered_by(tx, self.run.id))
        if covered is not None:
            return Outcome(skipped=f"run {covered} began after this was asked for, and did it")
        name = f"job:{self.job.name}"
        if self.database.transact(lambda tx: switches.is_on(tx, name)):
            return Outcome(skipped=f"held by {name}")
        token = self.database.transact(
            lambda tx: leases.acquire(
                tx,
                name,
                run=self.run.id,
                worker=self.worker,
                lease_seconds=self.bounds.lease_seconds,
            )
        )
        if token is None:
            return Outcome(skipped=f"another run of {self.job.name} holds its lease")
        book = Book(self.bounds.lease_seconds)
        held = [(f"run:{self.run.id}", self.run.token), (name, token)]
        try:
            with Renewal(self.database, book, held) as renewal:
                renewal.start()
                reasons = self._page_through(book, name, token)
        finally:  # a page that broke keeps nobody waiting
            self.database.transact(lambda tx: leases.give_back(tx, name, token))
        return Outcome(
            tally=self.tally,
            stopped=self.stop.is_set(),
            reasons=reasons,
            unfinished=self.unfinished,
        )

    def _page_through(self, book: Book, name: str, token: int) -> list[str]:
        cursor = dict(self.run.cursor or {})
        ends_at = time.monotonic() + self.bounds.budget_seconds * 10
        while not self.stop.is_set():
            if not book.run_is_alive():
                return ["its lease was lost"]
            if time.monotonic() > ends_at:
                self.unfinished = True
                return ["not through in its time: it goes on from its cursor"]
            try:
                page = self.database.transact(lambda tx, at=cursor: self._page(tx, at, name, token))  # type: ignore[misc]  # bound now
            except (UnreachableError, CommitUnknownError) as error:
                log.warning("sweep.unreachable", job=self.job.name, error=str(error))
                self.stop.wait(0.5)
                continue  # a page is safe twice: what it makes carries unique keys
            if page is None:
                return ["its lease was taken over"]
            self.tally.update(page.tally)
            self.tally.update(self.job.outside())
            if page.cursor is None:
                return []
            cursor = dict(page.cursor)
        return []

    def _page(self, tx: Tx, cursor: dict[str, object], name: str, token: int) -> Page | None:
        if not leases.check(tx, name, token):
            return None
        page = self.job.page(tx, cursor, self.run.id)
        runs.save_cursor(tx, self.run, page.cursor or {}, as_json(self.tally + page.tally))
        return page
