"""What people, workers, a bank and faults may do to a market, in any order; each event throws the dice for its own."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from random import Random
from typing import Any, ClassVar, Final
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from db import clock, work_listing
from db.payouts import resolve
from db.payouts.decide import decide
from db.payouts.resolve import Word
from domain.answers import Answer, Found, NotSent, ProviderStatus
from domain.decisions import SOURCES, Decision
from domain.errors import BusyError, RefusedError
from domain.payouts import PROCESS
from jobs.shapes import Drain
from tests.models.market import Ground, Holding, Market
from tests.operating import line, take
from workers.sandbox.faults import Fault

NO_ROUTE: Final = NotSent(reason="no route")
MEETS: Final = (
    *(None, None, Fault.DROP, Fault.ERROR, Fault.ERROR_BEFORE, Fault.RATE_LIMIT),
    *(Fault.WRONG_AMOUNT, Fault.REFUSE, Fault.REFUSE, Fault.REFUSE, NO_ROUTE, NO_ROUTE),
)
"""What a send meets: nothing wrong, a lost reply after or before it was paid, a refusal, no route."""

Event = Callable[[Random], object]
"""Returns what else there is to say of it."""


class Fate(StrEnum):
    """What becomes of a worker after its claim."""

    SETTLES = "it calls, and settles what was answered"
    SETTLES_LATE = "it calls, and sleeps before it settles"
    DIES_OUT = "it dies, its request still on its way"
    TIMES_OUT = "it gives up while its request is on its way, and settles that"
    DIES = "it dies before it calls"


FATES: Final = (Fate.SETTLES, Fate.SETTLES, Fate.SETTLES, *Fate)


class Events:
    """One market, and its story so far."""

    def __init__(self, market: Market) -> None:
        self.market, self.imported = market, 0
        self.told: list[str] = []
        self._import(approve=True)

    def happen(self, dice: Random) -> None:
        """Let one event happen, and hold everything against what must be true."""
        event = dice.choice(self._possible())
        self.told.append(event.__name__)
        try:
            said = event(dice)
            self.told[-1] += f": {said}" if said else ""
            self.market.look()
        except Exception as error:
            error.add_note("\n".join(self.told))
            raise

    def end(self) -> None:
        """No more faults: all ends, or is parked, and the books are right."""
        try:
            self.market.quiet()
        except Exception as error:
            error.add_note("\n".join([*self.told, "all is quiet"]))
            raise

    def _possible(self) -> Sequence[Event]:
        market = self.market
        sends = any(holding.job.name == PROCESS for holding in market.claimed)
        is_calm = not market.wire and not market.claimed
        return (
            *[self.a_worker_works] * 6,
            *(self.decides, self.decides, self.claims, self.claims),
            *(self.a_week_passes, self.a_week_passes, self.unparks, self.adopts),
            *[self.calls, self.calls, self.releases] * bool(market.claimed),
            *[self.times_out] * sends,
            *[self.settles, self.settles, self.settles] * bool(market.answered),
            *[self.dies] * bool(market.claimed or market.answered),
            *[self.a_late_request_arrives, self.a_late_request_arrives] * bool(market.wire),
            *[self.leases_lapse] * bool(market.leased),
            *[self.the_bank_concludes, self.the_bank_concludes] * bool(market.bank.transfers),
            *[self.two_people_declare] * is_calm,
            *[self.imports] * (self.imported < 2),
        )

    def imports(self, dice: Random) -> None:
        self._import(approve=dice.random() < 0.5)

    def _import(self, *, approve: bool) -> None:
        self.imported += 1
        take(self.market.operator, [line(f"P-{self.imported}")], approve=approve)
        self.market.look()

    def decides(self, dice: Random) -> str:
        """One of the decisions that are about its state; of any, where none is."""
        payout = self._payout(dice)
        state = self.market.seen[payout][0]
        fitting = [one for one in Decision if state in SOURCES[one]] or list(Decision)
        decision = dice.choice(fitting)
        with self.market.operator.begin() as tx:
            decide(tx, decision, [payout], actor="asha", why="because")
        return decision

    def a_worker_works(self, dice: Random) -> str:
        """What waits is due; where others hold all there is, their leases have lapsed."""
        market, meets, fate = self.market, dice.choice(MEETS), dice.choice(FATES)
        if not market.awaited:
            market.lapse()
        market.hasten()
        others, market.claimed = market.claimed, []
        job = self._job(dice)
        market.claim(job)
        mine, market.claimed = market.claimed, [*others, *market.claimed]
        for holding in mine:
            self._meets(holding, meets, fate)
        if fate in {Fate.SETTLES, Fate.TIMES_OUT} and mine:
            market.settle([market.answered.pop() for _ in mine])
        return f"{job.name}, {len(mine)} claimed, meeting {meets}: {fate}"

    def _meets(self, holding: Holding, meets: Fault | Answer | None, fate: Fate) -> None:
        sends = holding.job.name == PROCESS
        if fate is Fate.DIES:
            self.market.claimed.remove(holding)
        elif sends and fate in {Fate.DIES_OUT, Fate.TIMES_OUT}:
            self.market.give_up_waiting(holding)
        else:
            self._call(holding, meets)
        if fate is Fate.DIES_OUT:
            self.market.answered.pop()

    def claims(self, dice: Random) -> str:
        """At once, or when leases have lapsed; whatever waits is due."""
        if dice.random() < 0.5:
            self.market.lapse()
        self.market.hasten()
        job = self._job(dice)
        self.market.claim(job)
        return job.name

    def calls(self, dice: Random) -> str:
        meets = dice.choice(MEETS)
        self.market.bank.unreachable = "down" if dice.random() < 0.2 else None
        self._call(dice.choice(self.market.claimed), meets)
        self.market.bank.unreachable = None
        if dice.random() < 0.5:
            self.market.settle([self.market.answered.pop()])
        return str(meets)

    def times_out(self, dice: Random) -> None:
        sends = [h for h in self.market.claimed if h.job.name == PROCESS]
        self.market.give_up_waiting(dice.choice(sends))

    def a_late_request_arrives(self, dice: Random) -> None:
        request = dice.choice(self.market.wire)
        self.market.wire.remove(request)
        self.market.bank._answers.clear()
        self.market.bank.submit(request)

    def settles(self, dice: Random) -> None:
        """Once, or again after a commit whose reply was lost; singly or all of a job, in any order."""
        together, twice = dice.random() < 0.5, dice.random() < 0.5
        first = dice.choice(self.market.answered)
        mine = [h for h in self.market.answered if h is first or (together and h.job is first.job)]
        mine = list({h.payout: h for h in mine}.values())
        self.market.answered = [h for h in self.market.answered if h not in mine]
        self.market.settle(mine)
        if twice:
            assert self.market.settle(mine) == 0, "settled twice"

    def releases(self, dice: Random) -> None:
        self.market.release(dice.choice(self.market.claimed))

    def dies(self, dice: Random) -> None:
        """What a process knew is gone; its leases are not."""
        gone = dice.choice([*self.market.claimed, *self.market.answered])
        for held in (self.market.claimed, self.market.answered):
            held[:] = [h for h in held if h is not gone]

    def leases_lapse(self, _: Random) -> None:
        self.market.lapse()

    def a_week_passes(self, _: Random) -> None:
        self.market.bank._answers.clear()
        self.market.week()

    def the_bank_concludes(self, dice: Random) -> str:
        payout = self._payout(dice)
        word = dice.choice(["processed", "failed", "cancelled", "reversed"])
        self.market.concludes(payout, self.market.seen[payout][1], word)
        return word

    def unparks(self, dice: Random) -> None:
        with self.market.operator.begin() as tx:
            work_listing.unpark(tx, [self._payout(dice)], actor="asha", why="because")

    def adopts(self, dice: Random) -> None:
        payout = self._payout(dice)
        with suppress(RefusedError, BusyError):
            with self.market.operator.begin() as tx:
                doubt = resolve.doubt(tx, payout)
            found = self.market.bank.find(doubt.reference)
            assert isinstance(found, Found)
            if found.payouts:
                with self.market.operator.begin() as tx:
                    resolve.adopt(tx, payout, found.payouts[0], actor="asha")

    def two_people_declare(self, dice: Random) -> None:
        """What the bank's own list says, when nothing is out."""
        payout = self._payout(dice)
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

    def _call(self, holding: Holding, meets: Fault | Answer | None) -> None:
        self.market.bank._answers.clear()
        self.market.bank.script(meets)
        self.market.call(holding)

    def _job(self, dice: Random) -> Drain[Any, Any]:
        """A job that something waits for; where nothing does, any."""
        awaited = self.market.awaited
        return dice.choice([j for j in self.market.jobs if not awaited or j.name in awaited])

    def _payout(self, dice: Random) -> UUID:
        return dice.choice(self.market.payouts)


class Orders(RuleBasedStateMachine):
    """The dice thrown by Hypothesis, which shortens what it finds."""

    ground: ClassVar[Ground]

    @initialize()
    def opens(self) -> None:
        self.events = Events(self.ground.market())

    @rule(dice=st.randoms(use_true_random=False))
    def something_happens(self, dice: Random) -> None:
        self.events.happen(dice)

    def teardown(self) -> None:
        if hasattr(self, "events"):
            self.events.end()


def explore(ground: Ground, *, orders: int, steps: int) -> None:
    """Let `orders` orders by chance of `steps` events happen; raises what the shortest bad one raised."""
    Orders.ground = ground
    run_state_machine_as_test(
        Orders,
        settings=settings(
            max_examples=orders,
            stateful_step_count=steps,
            deadline=None,
            derandomize=False,
            print_blob=True,
            database=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


def play(ground: Ground, *, orders: int, steps: int) -> None:
    """Let the first `orders` orders happen, the same ones in every run, unshortened."""
    for seed in range(orders):
        dice, events = Random(seed), Events(ground.market())
        for _ in range(steps):
            events.happen(dice)
        events.end()
