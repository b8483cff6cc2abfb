"""The storm itself: faults at their times, then quiet until everything has ended or it took too long."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final
from uuid import UUID

from db import switches
from db.chaos import quiet
from domain.errors import ExpectedError
from domain.payout_ids import of_reference
from domain.switches import schedule
from workers.chaos.agenda import Agenda
from workers.chaos.bank import GIVEN_BACK
from workers.chaos.house import House
from workers.chaos.people import TICKS, WHO, People
from workers.chaos.recovery import Figure, Recovery, kill_one
from workers.chaos.strikes import PASSIVE, PATIENT, STRIKES, Scene, Strike

LOOK_SECONDS: Final = 0.5
STEADY_LOOKS: Final = 3
"""So often in a row nothing may be open before it is over."""
PATIENCE_SECONDS: Final = 4.0
REVERSALS_SECONDS: Final = 8.0
"""So long after the storm the bank may still give something back."""
LAST_PAYOUTS: Final = 200
"""Brought in when it is quiet, so that one more worker can be killed over them, undisturbed."""
LAST_EVERY_SECONDS: Final = 10.0
SLOW_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """One fault that was made: when (seconds since the start), and whom it met."""

    at_seconds: float
    fault: str
    detail: str


@dataclass(slots=True, kw_only=True)
class Course:
    """How a run went."""

    began_at: datetime
    struck: list[Struck] = field(default_factory=list)
    missed: list[Struck] = field(default_factory=list)
    """Faults that found nothing to strike."""
    recovery: Recovery | None = None
    queued_at_flush: int = 0
    processing_at_kill: int = 0
    """Payouts under way as Postgres was killed, over all kills."""
    storm_seconds: float = 0.0
    quiet_seconds: float = 0.0
    drained: bool = False
    unknown: int = 0
    """Payouts nobody knew about at the end."""

    @property
    def counts(self) -> Counter[str]:
        """How often each fault was made."""
        return Counter(one.fault for one in self.struck)


class Storm:
    """Called again and again by the supervisor's loop (`step`); says when it is over."""

    def __init__(
        self, house: House, people: People, strikes: Mapping[str, Strike] = STRIKES
    ) -> None:
        self.house, self.people, self.plan = house, people, house.plan
        self.course = Course(began_at=datetime.now(UTC))
        self.figures: list[Figure] = []
        """What has a bound of its own: nothing, in a storm."""
        self._strikes = strikes
        self.agenda = Agenda()
        chance = Random(self.plan.seed)  # noqa: S311  a storm must be repeatable
        self._scene = Scene(house=house, agenda=self.agenda, chance=chance)
        self._due = [due for due in self.plan.strikes if due.fault not in PASSIVE]
        self._started = time.monotonic()
        self._calmed: float | None = None
        self._next_look = 0.0
        self._steady = 0
        self._day_passed = False
        self._last_brought = 0.0

    def step(self) -> bool:
        """Strike, undo, look; True when everything has ended, or the bound of the quiet is passed."""
        now = time.monotonic()
        self.agenda.do_due()
        if self._calmed is None:
            self._strike(now)
            if now - self._started >= self.plan.storm_seconds:
                self._calm()
            return False
        if self.course.recovery is not None:
            self.course.recovery.look(self.house.observer)
        if now < self._next_look:
            return False
        self._next_look = now + LOOK_SECONDS
        self.course.quiet_seconds = round(now - self._calmed, 1)
        return self._is_over() or now - self._calmed > self.plan.quiet_seconds_max

    def _strike(self, now: float) -> None:
        since = now - self._started
        due_now = [due for due in self._due if due.at_seconds <= since]
        self._due = [due for due in self._due if due.at_seconds > since]
        for due in due_now:
            self._note_before(due.fault)
            detail = self._strikes[due.fault](self._scene)
            if (
                detail is None
                and due.fault in PATIENT
                and since < due.at_seconds + PATIENCE_SECONDS
            ):
                self._due.append(due)
                continue
            at = round(time.monotonic() - self._started, 2)
            made = Struck(at_seconds=at, fault=due.fault, detail=detail or "nothing to strike")
            (self.course.missed if detail is None else self.course.struck).append(made)

    def _note_before(self, fault: str) -> None:
        if fault not in {"redis-flush", "redis-kill", "postgres-kill"}:
            return
        try:
            with self.house.observer.begin() as tx:
                seen = quiet.look(tx)
        except ExpectedError:
            return
        if fault == "postgres-kill":
            self.course.processing_at_kill += seen.payouts
        else:
            self.course.queued_at_flush += seen.payouts

    def _calm(self) -> None:
        """End every fault; the servers run, nothing is frozen, the bank is well again."""
        self.course.storm_seconds = round(time.monotonic() - self._started, 1)
        self.people.meddling = False
        self.agenda.do_all()
        for link in self.house.links:
            link.heal()
        self.agenda.later(0, self.house.start_servers)
        self.agenda.later(0, lambda: self.house.bank.set_faults(""))
        self.agenda.later(0.5, self._last_kill)
        self._calmed = time.monotonic()

    def _last_kill(self) -> bool:
        """With the storm over, kill one worker that holds work: the figure of recovery is taken here."""
        if self._last_brought + LAST_EVERY_SECONDS < time.monotonic():
            self._last_brought = time.monotonic()
            self.house.bank.order("slow", LAST_PAYOUTS, SLOW_SECONDS)
            self.people.owe(LAST_PAYOUTS)
        self.course.recovery = kill_one(self.house)
        return self.course.recovery is not None

    def _is_over(self) -> bool:
        self.people.lift_brakes()  # a refusal under way as the bank was healed may have come since
        try:
            with self.house.observer.begin() as tx:
                seen = quiet.look(tx)
                unseen = quiet.let_a_day_pass(tx, self._given_back()) if self._day_passed else 0
        except ExpectedError:
            return False
        stuck = len(self.house.bank.stuck_keys())
        self.course.unknown = seen.unknown
        open_ = max(0, seen.payouts - min(seen.unknown, stuck))
        open_ += seen.events + (0 if stuck else seen.runs)
        waits = open_ + unseen + (self.course.recovery is None or self.course.recovery.waits)
        self._steady = 0 if waits else self._steady + 1
        if self._steady < STEADY_LOOKS:
            return False
        if not self._day_passed:
            if not self.plan.bank_faults or self.course.quiet_seconds > REVERSALS_SECONDS:
                self._pass_a_day()
            return False
        self.course.drained = True
        return True

    def _pass_a_day(self) -> None:
        """Nothing is asked for by the clock any more; from here on what came late is looked for."""
        with self.house.observer.begin() as tx:
            for name in TICKS:
                switches.turn(tx, schedule(name), on=True, who=WHO, why="the storm is over")
        self._day_passed, self._steady = True, 0

    def _given_back(self) -> list[tuple[UUID, int]]:
        """Payouts and generations whose money the bank gave back, as its own book says."""
        named = [t.reference for t in self.house.bank.transfers() if t.status == GIVEN_BACK]
        return [of for name in named if (of := of_reference(name)) is not None]
