"""The stage that writes answers down: behind the calls, in sets, fenced by token, halved around a guilty item."""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic

import structlog

from db import transitions, work
from db.engine import Database
from db.errors import CommitUnknownError
from db.tx import Tx
from domain.errors import UnreachableError
from domain.tally import Count, Tally
from jobs.shapes import Answer, Drain, ItemT, ResultT
from workers.runner.book import Book
from workers.runner.bounds import Bounds
from workers.runner.guilty import put_off
from workers.tracing import Span

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Tried:
    """What the last try to settle a set would come to, should its commit turn out to have happened."""

    tally: Tally | None = None


class Settler(Generic[ItemT, ResultT]):
    """Collects answers and settles them on a thread of its own, at most `batch_max` at a time."""

    def __init__(
        self,
        database: Database,
        job: Drain[ItemT, ResultT],
        book: Book,
        bounds: Bounds,
        run: int,
        span: Span,
    ) -> None:
        self.database, self.job, self.book, self.bounds, self.run = database, job, book, bounds, run
        self.span = span
        self.tally = Tally()
        self.reasons: set[str] = set()
        self._answers: queue.SimpleQueue[list[Answer[ItemT, ResultT]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(
            target=self._settle_until_stopped, name=f"settler-{job.name}", daemon=True
        )

    def start(self) -> None:
        """Begin to settle; called before the first items are acted on."""
        if self._thread.ident is None:
            self._thread.start()

    def put(self, answers: list[Answer[ItemT, ResultT]]) -> None:
        """Hand in answers; any thread may."""
        self._answers.put(answers)

    def stop(self) -> None:
        """Settle what was handed in, then end."""
        self._answers.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _settle_until_stopped(self) -> None:
        stopping = False
        while not stopping:
            first = self._answers.get()
            if first is None:
                return
            batch, stopping = self._company(first)
            for i in range(0, len(batch), self.bounds.batch_max):
                self._settle_or_halve(batch[i : i + self.bounds.batch_max])

    def _company(
        self, batch: list[Answer[ItemT, ResultT]]
    ) -> tuple[list[Answer[ItemT, ResultT]], bool]:
        limit = time.monotonic() + self.bounds.linger_seconds
        while len(batch) < self.bounds.batch_max:
            try:
                more = self._answers.get(timeout=max(0.0, limit - time.monotonic()))
            except queue.Empty:
                return batch, False
            if more is None:
                return batch, True
            batch = batch + more
        return batch, False

    def _settle_or_halve(self, answers: Sequence[Answer[ItemT, ResultT]]) -> None:
        """Settle a set; one that breaks a rule is tried again in halves until only the guilty item fails."""
        try:
            self._until_reachable(answers, partial(self._settle, Tried()))
        except Exception as error:  # whatever it was, its siblings must not suffer
            if len(answers) > 1:
                middle = len(answers) // 2
                self._settle_or_halve(answers[:middle])
                self._settle_or_halve(answers[middle:])
                return
            log.exception(
                "settle.broke", job=self.job.name, subject=str(answers[0].item.held.subject)
            )
            self._give_up(answers, error)

    def _give_up(self, answers: Sequence[Answer[ItemT, ResultT]], error: Exception) -> None:
        """Put the guilty item off; where even that is refused, its lease lapses and others go on."""
        try:
            self._until_reachable(answers, partial(self._postpone, error))
        except Exception as again:  # this thread settles everybody's answers: it must go on
            log.exception("settle.not_postponed", job=self.job.name)
            self.reasons.add(f"could not be settled nor put off: {again!a:.500}")
            self.book.drop(a.item.held.subject for a in answers)

    def _until_reachable(
        self,
        answers: Sequence[Answer[ItemT, ResultT]],
        act: Callable[[Sequence[Answer[ItemT, ResultT]]], None],
    ) -> None:
        """Try again while the database cannot be reached and the leases last; after them, give the answers up."""
        pause = 0.1
        while True:
            try:
                act(answers)
            except (UnreachableError, CommitUnknownError) as error:
                log.warning(
                    "settle.unreachable", job=self.job.name, items=len(answers), error=str(error)
                )
            else:
                return
            if not self._any_lease_lasts(answers):
                self.tally[Count.FENCED] += len(answers)
                self.book.drop(a.item.held.subject for a in answers)
                return
            threading.Event().wait(pause)
            pause = min(pause * 2, 1.0)

    def _any_lease_lasts(self, answers: Sequence[Answer[ItemT, ResultT]]) -> bool:
        return any(self.book.has_time(a.item.held.subject, 0.0) for a in answers)

    def _settle(self, tried: Tried, answers: Sequence[Answer[ItemT, ResultT]]) -> None:
        with self.span.stage("settle", items=len(answers)) as stage:
            tally = tried.tally
            if tally is None or not self._are_evident(answers):
                tally = self.database.transact(partial(self._write, tried, answers))
            stage.note(fenced=tally[Count.FENCED])
        if tally[Count.FENCED]:
            log.warning("settle.fenced", job=self.job.name, items=tally[Count.FENCED])
        self.tally.update(tally)
        self.book.drop(a.item.held.subject for a in answers)

    def _write(self, tried: Tried, answers: Sequence[Answer[ItemT, ResultT]], tx: Tx) -> Tally:
        self.job.brace(tx, answers)
        leased = transitions.regain(tx, [a.item.held for a in answers], run=self.run)
        mine = answers
        if len(leased.held) < len(answers):
            mine = [a for a in answers if a.item.held.subject in leased.held]
            self.job.keep_evidence(
                tx, [a for a in answers if a.item.held.subject not in leased.held], self.run
            )
        tally = self.job.settle(leased, mine) if mine else Tally()
        tally[Count.FENCED] += len(answers) - len(mine)
        tried.tally = tally
        return tally

    def _are_evident(self, answers: Sequence[Answer[ItemT, ResultT]]) -> bool:
        """After a commit in doubt: one answer that is written down proves the set, which went in one transaction."""
        with self.database.begin() as tx:
            done = self.job.evident(tx, answers)
        log.warning("settle.reread", job=self.job.name, items=len(answers), done=len(done))
        return bool(done)

    def _postpone(self, error: Exception, answers: Sequence[Answer[ItemT, ResultT]]) -> None:
        (answer,) = answers
        held, reason = answer.item.held, f"could not be settled: {error}"

        def postpone(tx: Tx) -> Tally:
            self.job.keep_evidence(tx, answers, self.run)
            leased = transitions.regain(tx, [held], run=self.run)
            tally = put_off(leased, self.job, reason, error)
            tally[Count.FENCED] = 1 - len(leased.held)
            return tally

        self.tally.update(self.database.transact(postpone))
        self.reasons.add(reason)
        self.book.drop([held.subject])


def release(
    database: Database, job: Drain[ItemT, ResultT], items: Sequence[ItemT], run: int
) -> int:
    """Give back items whose call never began, in one transaction; returns how many were still ours."""
    if not items:
        return 0

    def give_back(tx: Tx) -> int:
        leased = transitions.regain(tx, [item.held for item in items], run=run)
        mine = [item for item in items if item.held.subject in leased.held]
        job.release(leased, mine)
        return len(work.release(tx, [item.held for item in mine]))

    return database.transact(give_back)
