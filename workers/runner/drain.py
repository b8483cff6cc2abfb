"""One run of a Drain or an Ask: three stages, bounded queues, one stop flag.

The calling thread claims ahead whenever fewer items wait than can be in flight; callers act; the
settler writes behind; the renewal keeps the leases. It never holds more than it can start within a
third of a lease. Rows that were claimed before without a settle come apart from others, and nothing else is
claimed until it is settled, so that if one kills the process, only they are counted again.
"""

import threading
import time
from collections.abc import Sequence
from typing import Final, Generic
from uuid import UUID

import structlog

from db import rate_limits, switches, work
from db.batch import Batch
from db.engine import Database
from db.errors import CommitUnknownError, ContendedError
from db.rate_limits import Grant
from db.runs import Started
from db.work import ClaimOrder
from domain.errors import ExpectedError, UnreachableError
from domain.tally import Count, Tally
from jobs.shapes import Answer, Drain, ItemT, ResultT
from workers.runner.book import Book
from workers.runner.bounds import Bounds
from workers.runner.callers import Callers
from workers.runner.guilty import narrower, postpone
from workers.runner.outcome import Outcome, Wake
from workers.runner.renewal import Renewal
from workers.runner.settler import Settler, release
from workers.tracing import Span

log = structlog.get_logger(__name__)

WAKE_SECONDS: Final = 1.0
PERMIT_WAIT_SECONDS_MAX: Final = 1.0
LOOK_AGAIN_SECONDS: Final = 0.2


class DrainRun(Generic[ItemT, ResultT]):
    """Drains due work of one job until nothing is due, the budget is spent, or it is asked to stop."""

    def __init__(
        self,
        database: Database,
        job: Drain[ItemT, ResultT],
        run: Started,
        bounds: Bounds,
        *,
        stop: threading.Event,
        wake: Wake,
        only: Sequence[UUID] | None,
        span: Span,
    ) -> None:
        self.database, self.job, self.run, self.bounds = database, job, run, bounds
        self.stop, self.wake, self.only, self.span = stop, wake, only, span
        self.book = Book(bounds.lease_seconds)
        self.settler = Settler(database, job, self.book, bounds, run.id, span)
        self.renewal = Renewal(database, self.book, [(f"run:{run.id}", run.token)])
        self.unstarted: list[ItemT] = []
        self.callers = Callers(
            job, self.book, bounds.concurrency, self.settler.put, self.unstarted.extend, stop, span
        )
        self.tally = Tally()
        self.limit = job.limit
        """The rate limit to ask, until it turns out that nobody set one."""
        self.held_back: str | None = None
        self.claimed: set[UUID] = set()
        self._woken_at = 0.0
        self._ends_at = time.monotonic() + bounds.budget_seconds

    def execute(self) -> Outcome:
        """Run to the end; returns what it did."""
        with self.renewal:
            try:
                self.held_back = self._preflight()
                if self.held_back is None:
                    self._claim_until_done()
            finally:
                self._wind_up()
        self.tally.update(self.settler.tally)
        return Outcome(
            tally=self.tally,
            stopped=self.stop.is_set(),
            held_back=self.held_back,
            reasons=[*sorted(self.settler.reasons), *self._amiss()],
            claimed=frozenset(self.claimed),
        )

    def _amiss(self) -> list[str]:
        """What makes a strict job's run a failure, although each of its items was settled."""
        wrong = {count: self.tally[count] for count in (Count.FAILED, Count.PARKED)}
        if not self.job.is_strict or not any(wrong.values()):
            return []
        return [", ".join(f"{number} {count.value}" for count, number in wrong.items() if number)]

    def _preflight(self) -> str | None:
        """Why the outside cannot take what is due; what nobody can tell holds nothing back."""
        check = self.job.preflight
        if check is None:
            return None
        self.renewal.start()
        try:
            with self.database.begin() as tx:
                on = switches.all_on(tx)
                is_shut = any(gate in on for gate in self.job.known().gates)
                seen = None if is_shut else check.look(tx, self.only)
            if seen is None:
                return None
            heard = check.ask(seen)
            return self.database.transact(lambda tx: check.conclude(tx, seen, heard))
        except ExpectedError as error:
            log.warning("preflight.not_made", job=self.job.name, error=str(error))
            return None

    def _claim_until_done(self) -> None:
        while self._goes_on():
            self._release_unstarted()
            limit = self._room()
            if limit <= 0:
                self.book.wait_below(max(1, len(self.book)), 0.05)
                continue
            batch = self._claim_within_limit(limit)
            self.renewal.start()
            if batch is None:
                continue
            self._hand_on(batch, limit)
            if batch.taken == 0 and not self._more_may_come():
                return

    def _goes_on(self) -> bool:
        in_time = time.monotonic() < self._ends_at
        return in_time and not self.stop.is_set() and self.book.run_is_alive()

    def _more_may_come(self) -> bool:
        """Nothing was due; while answers are being settled something may yet be."""
        return bool(len(self.book)) and not self.book.wait_below(1, LOOK_AGAIN_SECONDS)

    def _room(self) -> int:
        """How many more to claim: enough to keep every caller busy, no more than can start in a third of a lease."""
        waiting = self.callers.waiting
        if (
            waiting >= self.bounds.concurrency
            and waiting * self.callers.call_seconds > self.bounds.concurrency * 0.05
        ):
            return 0
        startable = (
            self.bounds.concurrency
            * (self.bounds.lease_seconds / 3)
            / max(self.callers.call_seconds, 1e-4)
        )
        held_max = min(int(startable), 3 * self.bounds.batch_max + self.bounds.concurrency)
        return min(self.bounds.batch_max, held_max - len(self.book))

    def _claim_within_limit(self, limit: int) -> Batch[ItemT] | None:
        """Claim what the provider's rate limit grants; None when nothing can be said yet."""
        if self.limit is None:
            return self._claim_or_halve(self._order(limit))
        grant = self._permits(self.limit, limit)
        if not grant.is_limited:
            self.limit = None
        if grant.permits == 0:
            self.held_back = "rate limit"
            self.stop.wait(min(grant.wait_seconds, PERMIT_WAIT_SECONDS_MAX))
            return None
        self.held_back = None
        batch = self._claim_or_halve(self._order(grant.permits))
        unused = grant.permits - (len(batch.items) if batch else 0)
        if unused and self.limit is not None:
            self._give_back(self.limit, unused)
        return batch

    def _permits(self, name: str, limit: int) -> Grant:
        try:
            return self.database.transact(lambda tx: rate_limits.take(tx, name, limit))
        except ExpectedError as error:  # unreachable, or its row held by somebody: ask again soon
            log.warning("permits.not_taken", name=name, error=str(error))
            return Grant(permits=0, wait_seconds=PERMIT_WAIT_SECONDS_MAX)

    def _give_back(self, name: str, unused: int) -> None:
        try:
            self.database.transact(lambda tx: rate_limits.give_back(tx, name, unused))
        except ExpectedError as error:  # they refill by themselves
            log.warning("permits.kept", name=name, permits=unused, error=str(error))

    def _claim_or_halve(self, order: ClaimOrder) -> Batch[ItemT] | None:
        """Claim a set; one that breaks a rule is claimed in halves until only the guilty item is left out."""
        try:
            with self.span.stage("claim", limit=order.limit) as stage:
                batch = self._claim(order)
                stage.note(items=len(batch.items))
                return batch
        except (UnreachableError, ContendedError, CommitUnknownError) as error:
            # Nobody's fault: no item is blamed. What was claimed after all comes back by its lease.
            log.warning("claim.not_made", job=self.job.name, error=str(error))
            self.stop.wait(0.5)
            return None
        except Exception as error:  # whatever it was, its siblings must not suffer
            self.renewal.start()  # looking for the guilty item may take longer than the run's lease
            less = narrower(self.database, self.job, order)
            if less is not None:
                return self._claim_or_halve(less)
            log.exception("claim.broke", job=self.job.name)
            self._postpone(order, error)
            return None

    def _claim(self, order: ClaimOrder) -> Batch[ItemT]:
        batch: Batch[ItemT] | None = None
        asked_at = time.monotonic()
        try:
            with self.database.begin() as tx:
                batch = self.job.claim(tx, order)
        except CommitUnknownError:
            if batch is None:
                raise
            batch = self._confirmed(batch)
        self.book.add((item.held for item in batch.items), asked_at)
        return batch

    def _order(self, limit: int) -> ClaimOrder:
        return ClaimOrder(
            run=self.run.id,
            limit=limit,
            lease_seconds=self.bounds.lease_seconds,
            only=self.only,
            gates=self.job.known().gates,
        )

    def _confirmed(self, batch: Batch[ItemT]) -> Batch[ItemT]:
        """After a claim whose commit is in doubt: keep what carries our token, assume nothing else."""
        with self.database.begin() as tx:
            ours = work.confirm(tx, [item.held for item in batch.items])
        log.warning("claim.reread", job=self.job.name, items=len(batch.items), ours=len(ours))
        return Batch(
            items=[item for item in batch.items if item.held.subject in ours], taken=batch.taken
        )

    def _postpone(self, order: ClaimOrder, error: Exception) -> None:
        reason = f"could not be claimed: {error}"
        self.tally.update(postpone(self.database, self.job, order, reason, error))
        self.settler.reasons.add(reason)

    def _hand_on(self, batch: Batch[ItemT], limit: int) -> None:
        self.tally[Count.SKIPPED] += batch.skipped
        if self.only is not None:
            self.claimed |= {item.held.subject for item in batch.items}
        alone = any(item.held.is_suspect for item in batch.items)
        if alone:  # what is in flight is settled first: it must not share the fate of a suspect
            self._wait_until_held(len(batch.items))
        if batch.items:
            self.settler.start()
            self.callers.put(batch.items)
        if batch.taken >= limit > 1 and time.monotonic() - self._woken_at > WAKE_SECONDS:
            self._woken_at = time.monotonic()
            self.wake()
        if alone:
            self._wait_until_held(0)

    def _wait_until_held(self, count: int) -> None:
        while self._goes_on() and not self.book.wait_below(count + 1, 1.0):
            self._release_unstarted()

    def _release_unstarted(self) -> None:
        """Give back at once what had too little of its lease left to be started: a new claim has more."""
        items = [self.unstarted.pop() for _ in range(len(self.unstarted))]
        try:
            self.tally[Count.RELEASED] += release(self.database, self.job, items, self.run.id)
        except ExpectedError as error:  # its lease lapses
            log.warning("release.failed", job=self.job.name, error=str(error))
        self.book.drop(item.held.subject for item in items)

    def _wind_up(self) -> None:
        """Stop in order: release what has not begun, let calls end, settle, give up what is still open."""
        if self.stop.is_set() or not self.book.run_is_alive():
            self.unstarted += self.callers.take_back()
        longest = self.job.call_seconds_max + (
            0.0 if self.stop.is_set() else self.bounds.lease_seconds / 3
        )
        open_ = self.callers.stop(longest + 2.0)
        if open_:
            log.error("calls.given_up", job=self.job.name, items=len(open_))
            given_up = TimeoutError("still under way when the process had to stop")
            self.settler.put([Answer(item, self.job.broke(item, given_up)) for item in open_])
        self.settler.stop()
        self._release_unstarted()
