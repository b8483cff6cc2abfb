"""One run of a Chore: claim and settle in one transaction, again and again; nothing outside."""

import threading
import time
from collections.abc import Sequence
from typing import Final
from uuid import UUID

import structlog

from db.engine import Database
from db.errors import CommitUnknownError
from db.runs import Started
from db.work import ClaimOrder
from domain.errors import UnreachableError
from domain.tally import Tally
from jobs.shapes import Chore, Done
from workers.runner.book import Book
from workers.runner.bounds import Bounds
from workers.runner.guilty import narrower, postpone
from workers.runner.outcome import Outcome, Wake
from workers.runner.renewal import Renewal

log = structlog.get_logger(__name__)

CHORE_LEASE_SECONDS: Final = 15.0


class ChoreRun:
    """Works off due rows of one chore until nothing is due, the budget is spent, or it is asked to stop."""

    def __init__(
        self,
        database: Database,
        job: Chore,
        run: Started,
        bounds: Bounds,
        *,
        stop: threading.Event,
        wake: Wake,
        only: Sequence[UUID] | None,
    ) -> None:
        self.database, self.job, self.run, self.bounds = database, job, run, bounds
        self.stop, self.wake, self.only = stop, wake, only
        self.tally, self.reasons = Tally(), set[str]()

    def execute(self) -> Outcome:
        """Run to the end; returns what it did."""
        book = Book(self.bounds.lease_seconds)
        ends_at = time.monotonic() + self.bounds.budget_seconds
        with Renewal(self.database, book, [(f"run:{self.run.id}", self.run.token)]) as renewal:
            while not self.stop.is_set() and time.monotonic() < ends_at and book.run_is_alive():
                done = self._work_or_halve(
                    self._order(self.bounds.batch_max * self.job.sets), renewal
                )
                renewal.start()
                if done is None:
                    self.stop.wait(0.5)
                elif done.taken == 0:
                    break
        return Outcome(tally=self.tally, stopped=self.stop.is_set(), reasons=sorted(self.reasons))

    def _work_or_halve(self, order: ClaimOrder, renewal: Renewal) -> Done | None:
        """One transaction; a set that breaks a rule is tried again in halves until only the guilty item is put off."""
        while True:
            try:
                done = self._work(order)
                break
            except (UnreachableError, CommitUnknownError) as error:
                log.warning("chore.unreachable", job=self.job.name, error=str(error))
                return None  # committed or not, the rows themselves say what is left to do
            except Exception as error:  # whatever it was, its siblings must not suffer
                renewal.start()  # each half may take as long again: together longer than a lease
                less = narrower(self.database, self.job, order)
                if less is None:
                    log.exception("chore.broke", job=self.job.name)
                    return self._postpone(order, error)
                order = less
        self.tally.update(done.tally)
        if done.taken >= order.limit > 1:
            self.wake()
        return done

    def _work(self, order: ClaimOrder) -> Done:
        return self.database.transact(lambda tx: self.job.work(tx, order))

    def _order(self, limit: int) -> ClaimOrder:
        return ClaimOrder(
            run=self.run.id,
            limit=limit,
            lease_seconds=CHORE_LEASE_SECONDS,
            only=self.only,
            gates=self.job.known().gates,
        )

    def _postpone(self, order: ClaimOrder, error: Exception) -> Done:
        reason = f"could not be done: {error}"
        tally = postpone(self.database, self.job, order, reason, error)
        self.tally.update(tally)
        self.reasons.add(reason)
        return Done(taken=1, tally=tally)
