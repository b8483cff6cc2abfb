"""Random orders of what people, workers, banks and faults do, on the real database, against a few lines of truth."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db import clock, engine, work_listing
from db.payouts import resolve
from db.payouts.decide import decide
from db.payouts.resolve import Word
from domain.answers import Answer, Found, NotSent, ProviderStatus
from domain.decisions import Decision
from domain.errors import BusyError, RefusedError
from domain.payouts import PROCESS
from tests.models.market import Market
from tests.operating import line, opened, take
from tests.servers import Databases
from workers.sandbox.faults import Fault

FULL: Final = os.environ.get("BURSAR_TEST_EXPLORE") == "full"
SOMETHING: Final = st.integers(min_value=0, max_value=1_000)
"""Which of the things there are, counted round."""
JOBS: Final = st.sampled_from([0, 0, 1, 1, 2])
MEETS: Final = st.sampled_from(
    [
        *(None, None, None, Fault.DROP, Fault.ERROR, Fault.ERROR_BEFORE, Fault.RATE_LIMIT),
        *(Fault.REFUSE, Fault.REFUSE, Fault.WRONG_AMOUNT, NotSent(reason="no route")),
    ]
)
"""What a send meets: nothing wrong, a lost reply before or after it was paid, a refusal, no route."""


T = TypeVar("T")


class Events(RuleBasedStateMachine):
    """One market, in one database of its own."""

    databases: Databases
    template: str

    @initialize()
    def opens(self) -> None:
        self.stack = ExitStack()
        url = self.databases.url(self.stack.enter_context(self.databases.database(self.template)))
        worker = self.stack.enter_context(opened(url, "bursar_worker"))
        self.market = Market(worker=worker, operator=self.stack.enter_context(opened(url)))
        self.imported = 0
        self.imports(approve=True)

    @rule(approve=st.booleans())
    def imports(self, *, approve: bool) -> None:
        if self.imported < 2:
            self.imported += 1
            take(self.market.operator, [line(f"P-{self.imported}")], approve=approve)
            self.market.look()

    @rule(which=SOMETHING, decision=st.sampled_from(Decision))
    def decides(self, which: int, decision: Decision) -> None:
        with self.market.operator.begin() as tx:
            decide(tx, decision, [self._payout(which)], actor="asha", why="because")

    @rule(job=JOBS, lapsed=st.booleans(), due=st.booleans())
    def claims(self, job: int, *, lapsed: bool, due: bool) -> None:
        """At once, or when leases have lapsed and waits are over."""
        if lapsed:
            self.market.lapse()
        if due:
            self.market.hasten()
        self.market.claim(self.market.jobs[job])

    @precondition(lambda self: self.market.claimed)
    @rule(which=SOMETHING, meets=MEETS, reachable=st.integers(0, 5), at_once=st.booleans())
    def calls(
        self, which: int, meets: Fault | Answer | None, reachable: int, *, at_once: bool
    ) -> None:
        self.market.bank._answers.clear()
        self.market.bank.script(meets)
        self.market.bank.unreachable = None if reachable else "down"
        self.market.call(_pick(self.market.claimed, which))
        self.market.bank.unreachable = None
        if at_once:
            self.market.settle([self.market.answered.pop()])

    @precondition(lambda self: any(h.job.name == PROCESS for h in self.market.claimed))
    @rule(which=SOMETHING)
    def times_out(self, which: int) -> None:
        sends = [h for h in self.market.claimed if h.job.name == PROCESS]
        self.market.give_up_waiting(_pick(sends, which))

    @precondition(lambda self: any(h.job.name == PROCESS for h in self.market.claimed))
    @rule(which=SOMETHING)
    def is_taken_over_while_out(self, which: int) -> None:
        """A sender dies, its request still on its way; its lease lapses, and another claims the payout."""
        sends = [h for h in self.market.claimed if h.job.name == PROCESS]
        self.market.give_up_waiting(_pick(sends, which))
        self.market.answered.pop()
        self.market.claimed.clear()
        self.market.lapse()
        self.market.claim(self.market.jobs[0])

    @precondition(lambda self: self.market.wire)
    @rule(which=SOMETHING)
    def a_late_request_arrives(self, which: int) -> None:
        request = _pick(self.market.wire, which)
        self.market.wire.remove(request)
        self.market.bank._answers.clear()
        self.market.bank.submit(request)

    @precondition(lambda self: self.market.answered)
    @rule(which=SOMETHING, times=st.integers(1, 2), together=st.booleans())
    def settles(self, which: int, times: int, *, together: bool) -> None:
        """Once, or again after a commit whose reply was lost; singly or all of a job, in any order."""
        first = _pick(self.market.answered, which)
        mine = [h for h in self.market.answered if h is first or (together and h.job is first.job)]
        mine = list({h.payout: h for h in mine}.values())
        self.market.answered = [h for h in self.market.answered if h not in mine]
        self.market.settle(mine)
        if times == 2:
            assert self.market.settle(mine) == 0, "settled twice"

    @precondition(lambda self: self.market.claimed)
    @rule(which=SOMETHING)
    def releases(self, which: int) -> None:
        self.market.release(_pick(self.market.claimed, which))

    @precondition(lambda self: self.market.claimed or self.market.answered)
    @rule(which=SOMETHING)
    def dies(self, which: int) -> None:
        """What a process knew is gone; its leases are not."""
        gone = _pick([*self.market.claimed, *self.market.answered], which)
        for held in (self.market.claimed, self.market.answered):
            held[:] = [h for h in held if h is not gone]

    @rule()
    def leases_lapse(self) -> None:
        self.market.lapse()

    @rule()
    def waits_are_over(self) -> None:
        self.market.hasten()

    @rule()
    def a_week_passes(self) -> None:
        self.market.bank._answers.clear()
        self.market.week()

    @rule(which=SOMETHING, word=st.sampled_from(["processed", "failed", "cancelled", "reversed"]))
    def the_bank_concludes(self, which: int, word: str) -> None:
        payout = self._payout(which)
        self.market.concludes(payout, self.market.seen[payout][1], word)

    @rule(which=SOMETHING)
    def unparks(self, which: int) -> None:
        with self.market.operator.begin() as tx:
            work_listing.unpark(tx, [self._payout(which)], actor="asha", why="because")

    @rule(which=SOMETHING)
    def adopts(self, which: int) -> None:
        payout = self._payout(which)
        with suppress(RefusedError, BusyError):
            with self.market.operator.begin() as tx:
                doubt = resolve.doubt(tx, payout)
            found = self.market.bank.find(doubt.reference)
            assert isinstance(found, Found)
            if found.payouts:
                with self.market.operator.begin() as tx:
                    resolve.adopt(tx, payout, found.payouts[0], actor="asha")

    @precondition(lambda self: not self.market.wire and not self.market.claimed)
    @rule(which=SOMETHING)
    def two_people_declare(self, which: int) -> None:
        """What the bank's own list says, when nothing is out."""
        payout = self._payout(which)
        with suppress(RefusedError, BusyError):
            with self.market.operator.begin() as tx:
                doubt = resolve.doubt(tx, payout)
            found = self.market.bank.find(doubt.reference)
            assert isinstance(found, Found)
            paid = found.payouts[0] if found.payouts else None
            if paid is None or paid.status in {ProviderStatus.PAID, ProviderStatus.FAILED}:
                is_paid = paid is not None and paid.status is ProviderStatus.PAID
                with self.market.operator.begin() as tx:
                    word = Word(by="asha and ravi", why="its list", known_at=clock.now(tx))
                    provider_id = paid.provider_id if paid and is_paid else None
                    resolve.declare(tx, payout, word, provider_id=provider_id)

    @invariant()
    def the_bank_and_the_database_agree(self) -> None:
        if hasattr(self, "market"):
            self.market.look()

    def teardown(self) -> None:
        if hasattr(self, "stack"):
            with self.stack:
                self.market.quiet()

    def _payout(self, which: int) -> UUID:
        return self.market.payouts[which % len(self.market.payouts)]


def _pick(things: list[T], which: int) -> T:
    return things[which % len(things)]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection is lost because this machine is busy: what fails here must be about payouts."""
    monkeypatch.setattr(engine, "IDLE_SECONDS", 60.0)
    monkeypatch.setattr(engine, "LOCK_SECONDS", 60.0)
    monkeypatch.setattr(engine, "STATEMENT_SECONDS", 60.0)


@pytest.mark.timeout(3_000 if FULL else 900)  # most of it to shorten what was found
@pytest.mark.usefixtures("patient")
def test_whatever_happens_in_whatever_order_each_payout_is_paid_once(
    databases: Databases, template: str
) -> None:
    Events.databases, Events.template = databases, template
    run_state_machine_as_test(
        Events,
        settings=settings(
            max_examples=int(os.environ.get("BURSAR_TEST_EXAMPLES", "1000")) if FULL else 6,
            stateful_step_count=60 if FULL else 30,
            derandomize=not FULL,
            deadline=None,
            print_blob=True,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


@pytest.fixture
def market(database_url: str) -> Iterator[Market]:
    """One approved payout whose first send timed out, its request still on its way; it is claimed again."""
    with opened(database_url, "bursar_worker") as worker, opened(database_url) as operator:
        market = Market(worker=worker, operator=operator)
        take(operator, [line("P-1")], approve=True)
        market.claim(market.jobs[0])
        market.give_up_waiting(market.claimed[0])
        market.lapse()
        market.claim(market.jobs[0])
        yield market


def refused(market: Market) -> None:
    """The second send is refused, and its answer settled."""
    market.bank.script(Fault.REFUSE)
    market.call(market.claimed[0])
    assert market.settle([market.answered.pop()]) == 1
    market.look()


def test_a_refusal_of_a_second_send_proves_nothing_and_the_first_one_ends_it(
    market: Market,
) -> None:
    refused(market)
    assert [state for state, _ in market.seen.values()] == ["PROCESSING"]
    market.quiet()
    assert [state for state, _ in market.seen.values()] == ["COMPLETED"]


def believed(answer: Answer, sends: int) -> Answer:
    """The mistake: what an answer says of this send, it says of the payment."""
    return answer


def test_the_truth_sees_a_refusal_that_was_believed(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge of the random orders must be able to say no."""
    monkeypatch.setattr("jobs.payouts.process.as_evidence", believed)
    with pytest.raises(AssertionError, match="may yet be paid"):
        refused(market)


def test_the_truth_sees_what_is_paid_twice(market: Market) -> None:
    """A bank that knows no keys."""
    market.bank.key_window = timedelta(0)
    market.bank.submit(market.wire.pop())
    market.call(market.claimed[0])
    with pytest.raises(AssertionError, match="paid twice"):
        market.look()
