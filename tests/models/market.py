"""A small market for random orders of events: the real database, a bank in memory, and what must be true of both."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from db import effects
from db.engine import Database
from db.transitions import regain
from db.work import ClaimOrder
from domain.answers import ProviderStatus, Unknown
from domain.payout_ids import reference
from domain.payouts import PAYOUTS, PROCESS, PayoutState
from domain.ports import FrozenRequest
from jobs.shapes import Answer, Drain
from tests.builders import assert_sound
from tests.driving import follow, process, recover
from tests.fakes.bank import FakeBank
from tests.kit.snapshot import Snapshot
from tests.operating import change, opened, query
from workers.runner.settler import release

RUN = 7
LEASE_SECONDS = 100_000.0
"""Time passes only when the market says so, or an order of events could not be played again."""
_FAR = """
    UPDATE work SET due_at = due_at + interval '1 day'
    WHERE leased_until IS NULL AND parked_reason IS NULL AND due_at > clock_timestamp()"""
WEEK = timedelta(days=7)
LIVING = frozenset({ProviderStatus.UNDER_WAY, ProviderStatus.PAID})
UNPAID = frozenset(PayoutState) - {PayoutState.PROCESSING, PayoutState.COMPLETED}
"""Where nothing was paid, and no request is under way: also before a send, and when it was put back."""
_LEGAL = {(move.source, move.target) for move in PAYOUTS.moves}


@dataclass(frozen=True, slots=True)
class Holding:
    """One claimed item of one job, and what was answered about it (None: not called yet)."""

    job: Drain[Any, Any]
    item: Any
    result: Any = None

    @property
    def payout(self) -> UUID:
        """Which it is."""
        subject: UUID = self.item.held.subject
        return subject


@dataclass(kw_only=True)
class Market:
    """Everything there is, and the state every payout was last seen in."""

    worker: Database
    operator: Database
    bank: FakeBank = field(default_factory=FakeBank)
    claimed: list[Holding] = field(default_factory=list)
    answered: list[Holding] = field(default_factory=list)
    wire: list[FrozenRequest] = field(default_factory=list)
    """Requests on their way whose senders gave up waiting."""
    seen: dict[UUID, tuple[str, int]] = field(default_factory=dict)
    leased: set[UUID] = field(default_factory=set)
    """What somebody holds, and nobody else may claim."""
    holders: dict[UUID, Any] = field(default_factory=dict)
    """Who claimed it last: nobody else may settle it."""

    def __post_init__(self) -> None:
        self.jobs = (process(self.bank), recover(self.bank), follow(self.bank))

    def claim(self, job: Drain[Any, Any]) -> int:
        """Lease what is due, and call nobody yet. Whole sets: which part comes first would be chance.

        Returns how many rows were taken, those too that were handed on or parked at once.
        """
        gates = ("maintenance", "restored", *job.gates)
        order = ClaimOrder(run=RUN, limit=100, lease_seconds=LEASE_SECONDS, gates=gates)
        with self.worker.begin() as tx:
            batch = job.claim(tx, order)
        items = batch.items
        taken = {i.held.subject for i in items}
        assert not taken & self.leased, f"{taken & self.leased} leased to two at once"
        self.leased |= taken
        self.holders |= {i.held.subject: i for i in items}
        self.claimed += [Holding(job, i) for i in sorted(items, key=lambda i: i.held.subject)]
        return batch.taken

    def call(self, holding: Holding) -> None:
        """Call once; whatever the bank was told to do to the next send happens."""
        self.claimed.remove(holding)
        result = holding.job.effect(holding.item, lambda: True)
        self.answered.append(Holding(holding.job, holding.item, result))

    def give_up_waiting(self, holding: Holding) -> None:
        """The send times out while its request is still on its way."""
        self.claimed.remove(holding)
        self.wire.append(holding.item.request)
        self.answered.append(Holding(holding.job, holding.item, Unknown(reason="time-out")))

    def settle(self, holdings: Sequence[Holding]) -> int:
        """Settle answers of one job as the runner does, fenced by token; returns how many were still held."""
        job = holdings[0].job
        answers = [Answer(h.item, h.result) for h in holdings]
        with self.worker.begin() as tx:
            leased = regain(tx, [a.item.held for a in answers], run=RUN)
            mine = [a for a in answers if a.item.held.subject in leased.held]
            late = [a for a in answers if a.item.held.subject not in leased.held]
            job.keep_evidence(tx, late, RUN)
            if mine:
                job.settle(leased, mine)
            tx.run(sa.text(_FAR))
        for one in mine:
            holder = self.holders.pop(one.item.held.subject, None)
            assert holder is one.item, f"{one.item.held.subject} settled by who had lost it"
        self.leased -= set(leased.held)
        return len(mine)

    def release(self, holding: Holding) -> None:
        """Give an item back whose call never began."""
        self.claimed.remove(holding)
        if release(self.worker, holding.job, [holding.item], RUN):
            self.leased.discard(holding.payout)
            self.holders.pop(holding.payout)

    def lapse(self) -> None:
        """Every lease is over, as time would have it: all at one moment, so that ids decide the order."""
        change(self.worker, "UPDATE work SET leased_until = now() WHERE leased_until IS NOT NULL")
        self.leased.clear()

    def hasten(self) -> None:
        """Every wait is over, but of what is parked or leased."""
        statement = (
            "UPDATE work SET due_at = now() WHERE leased_until IS NULL AND parked_reason IS NULL"
        )
        change(self.worker, statement)

    def week(self) -> None:
        """A week passes for everybody: what was under way has ended, keys are forgotten."""
        while self.wire:
            self.bank.submit(self.wire.pop())
        self.claimed.clear()
        self.lapse()
        change(self.worker, "UPDATE effects SET first_sent_at = first_sent_at - interval '7 days'")
        self.bank.advance(WEEK)

    def concludes(self, payout: UUID, generation: int, word: str) -> None:
        """The bank ends a payment it took, or gives a paid one back."""
        under = reference(payout, generation)
        says = [t.payout.status for t in self.bank.transfers if t.payout.reference == under]
        may = ProviderStatus.PAID if word == "reversed" else ProviderStatus.UNDER_WAY
        if says == [may]:
            self.bank.settle(under, word)

    @property
    def awaited(self) -> list[str]:
        """The job each payout waits for that is neither parked nor leased."""
        statement = """SELECT job FROM work WHERE parked_reason IS NULL AND coalesce(leased_until <= now(), true)
                       ORDER BY subject"""
        return [row.job for row in query(self.worker, statement)]

    @property
    def payouts(self) -> list[UUID]:
        """Every payout, in a stable order."""
        return sorted(self.seen)

    def look(self) -> None:
        """Hold the database against the bank: paid at most once, what ended stays as it ended."""
        for row in query(self.worker, "SELECT id, state, generation FROM payouts"):
            self._judge(row.id, PayoutState(row.state), row.generation)

    def _judge(self, payout: UUID, state: PayoutState, generation: int) -> None:
        before, old = self.seen.get(payout, (state.value, generation))
        assert state == before or reachable(before, state), f"{payout}: {before} became {state}"
        # Only a retry of what had failed makes a new generation; two rules at most lie between two looks.
        assert generation == old + (before == PayoutState.FAILED and state != before), payout
        self.seen[payout] = (state.value, generation)
        says = [self._says(payout, one) for one in range(1, generation + 1)]
        assert all(len(words) <= 1 for words in says), f"{payout} was paid twice: {says}"
        living = [word for words in says for word in words if word in LIVING]
        assert len(living) <= 1, f"{payout} was paid in two generations"
        if state in UNPAID:
            assert not living, f"{payout} is {state} and was paid"
            out = {request.reference for request in self.wire}
            known = {t.payout.reference for t in self.bank.transfers}
            mine = reference(payout, generation)
            assert mine not in out or mine in known, f"{payout} is {state} and may yet be paid"
        if state is PayoutState.COMPLETED:
            assert says[-1] in ([ProviderStatus.PAID], [ProviderStatus.REVERSED]), payout

    def _says(self, payout: UUID, generation: int) -> list[ProviderStatus]:
        under = reference(payout, generation)
        return [t.payout.status for t in self.bank.transfers if t.payout.reference == under]

    def quiet(self) -> None:
        """No more faults: everything ends or is parked, and every promise of the audit is kept."""
        while self.wire:
            self.bank.submit(self.wire.pop())
        self.claimed.clear()
        self.answered.clear()
        self.bank.unreachable = None
        self.bank._answers.clear()
        change(self.operator, "UPDATE switches SET is_on = false")
        for _ in range(40):
            for payout, (_, generation) in self.seen.items():
                self.concludes(payout, generation, "processed")
            self.lapse()
            self.hasten()
            if not sum(self._drive(job) for job in self.jobs) or not self._open():
                break
        self.look()
        assert not self._open(), f"neither ended nor parked: {self._open()}"
        assert_sound(self.worker)

    def _drive(self, job: Drain[Any, Any]) -> int:
        took = self.claim(job)
        while self.claimed:
            self.call(self.claimed[0])
        if self.answered:
            self.settle(self.answered)
            self.answered.clear()
        return took

    def _open(self) -> list[Any]:
        statement = """SELECT p.id, p.state, w.job, w.last_error FROM payouts p LEFT JOIN work w ON w.subject = p.id
          WHERE p.state IN ('APPROVED', 'PROCESSING') AND w.parked_reason IS NULL"""
        return query(self.worker, statement)

    def evident(self, holdings: Sequence[Holding]) -> set[UUID]:
        """What a commit whose reply was lost is known by."""
        with self.worker.begin() as tx:
            return effects.settled_under(
                tx, {h.item.effect.key: h.item.held for h in holdings if h.job.name == PROCESS}
            )


def reachable(source: str, target: str) -> bool:
    """Whether the table leads from one state to another in two moves at most."""
    first = {b for a, b in _LEGAL if a == source}
    return target in first or any((middle, target) in _LEGAL for middle in first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A database that every market finds as it was."""

    worker: Database
    operator: Database
    snapshot: Snapshot

    def market(self) -> Market:
        """A new market, nothing of the one before it left."""
        self.snapshot.restore()
        return Market(worker=self.worker, operator=self.operator)


@contextmanager
def ground(url: str, superuser_url: str) -> Iterator[Ground]:
    """The ground for markets in the database at `url`."""
    with ExitStack() as stack:
        # Ids of payouts come from it, and their order is part of an order of events.
        with opened(superuser_url, "bursar_owner") as owner:
            change(owner, "UPDATE installation SET id = '00000000-0000-4000-8000-000000000001'")
        worker = stack.enter_context(opened(url, "bursar_worker"))
        operator = stack.enter_context(opened(url))
        snapshot = Snapshot(superuser_url)
        stack.callback(snapshot.close)
        yield Ground(worker=worker, operator=operator, snapshot=snapshot)
