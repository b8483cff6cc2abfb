"""Whoever brings work in and meddles while it storms: an application and operators, in a thread of their own.

What they were told is done is remembered by id, and held against the database and the bank's book at
the end. Where a reply is lost they do the same again, as such callers must.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final

from db import installation, runs, schedule_settings, switches
from db.engine import Database
from db.errors import CommitUnknownError
from db.payouts import imports, listing
from db.payouts.decide import decide
from db.runs import Request
from db.schedule_settings import Change
from domain.decisions import Decision
from domain.errors import ExpectedError
from domain.payout_ids import payout_id
from domain.payouts import PROCESS, PayoutState
from domain.runs import Origin
from domain.samples import sample_payouts
from schedules.timetable import schedule
from workers.chaos.house import House

if TYPE_CHECKING:
    from uuid import UUID

WHO: Final = "operator:storm"
STEP_SECONDS: Final = 0.25
TICKS: Final = {"payouts.recover": 2, "payouts.follow": 5, "upkeep.audit": 7}
"""Times come often, in seconds, so that many come while the schedulers suffer."""
PAYOUTS_MAX: Final = 200_000
MEDDLE_SHARE: Final = 0.5


class People:
    """A thread that brings payouts in at the plan's rate until it is stopped."""

    def __init__(self, house: House, rate: Callable[[], float]) -> None:
        self._house, self._rate = house, rate
        self._chance = Random(house.plan.seed)  # noqa: S311  a storm must be repeatable
        self._lines = sample_payouts(PAYOUTS_MAX, house.plan.seed)
        self._database = house.open("bursar people")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="people", daemon=True)
        self._installation: UUID | None = None
        self.accepted: dict[UUID, str] = {}
        """External ids by payout, of imports that were acknowledged."""
        self.met: Counter[str] = Counter()
        """What they met, by name."""
        self.meddling = house.plan.meddling
        self._extra = 0

    def prepare(self) -> None:
        """Before the storm: the timetable's times come often, and it is known which installation this is."""
        with self._database.begin() as tx:
            self._installation = installation.get(tx).id
            for name, seconds in TICKS.items():
                line = schedule(name)
                assert line is not None, "the timetable has it"
                change = Change(every_seconds=seconds)
                schedule_settings.set_(tx, line, change, who=WHO, why="a storm")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Bring no more; what was begun is brought to its end first."""
        self._stop.set()
        self._thread.join()
        self._database.dispose()

    def owe(self, count: int) -> None:
        """Bring so many more, beside what the rate brings."""
        self._extra += count

    def bring(self, count: int) -> int:
        """Import so many payouts, again and again until it was acknowledged; returns how many were tried."""
        lines = [next(self._lines) for _ in range(count)]
        order = imports.Lines(lines=lines, file="storm", approve=True)
        doubted = False
        while True:
            try:
                with self._database.begin() as tx:
                    assert self._installation is not None, "prepared first"
                    done = imports.take_over(tx, self._installation, order, actor=WHO)
            except ExpectedError as error:
                doubted = doubted or isinstance(error, CommitUnknownError)
                self.met[type(error).__name__] += 1
                if self._stop.wait(STEP_SECONDS) and not self._is_calm():
                    return 0
                continue
            break
        if doubted:
            self.met["import_in_doubt_found" if done.existing else "import_in_doubt_made"] += 1
        self.accepted |= {
            payout_id(self._installation, line.external_id): line.external_id for line in lines
        }
        return count

    def _is_calm(self) -> bool:
        """Whether servers answer again: what nobody acknowledged by then was never accepted."""
        return self._house.pair.postgres.running

    def _work(self) -> None:
        owed, last = 0.0, time.monotonic()
        while not self._stop.wait(STEP_SECONDS):
            now = time.monotonic()
            owed, last = min(owed + (now - last) * self._rate(), 2_000.0), now
            extra, self._extra = self._extra, 0
            owed += extra
            if owed >= 1:
                owed -= self.bring(int(owed))
            if self.meddling and self._chance.random() < MEDDLE_SHARE:
                self._try(self._chance.choice([self._lift, self._cancel, self._ask, self._retry]))

    def _try(self, act: Callable[[Database], None]) -> None:
        try:
            act(self._database)
        except ExpectedError as error:
            self.met[type(error).__name__] += 1

    def lift_brakes(self) -> bool:
        """Let the bank be asked again; False where the database does not answer yet."""
        try:
            self._lift(self._database)
        except ExpectedError:
            return False
        return True

    def _lift(self, database: Database) -> None:
        """An operator finds that the provider takes our word again."""
        with database.begin() as tx:
            for name in switches.all_on(tx):
                if name.startswith("brake:"):
                    switches.turn(tx, name, on=False, who=WHO, why="it was a storm's")
                    self.met["brake_lifted"] += 1

    def _cancel(self, database: Database) -> None:
        """An operator is too late, or just in time."""
        with database.begin() as tx:
            waiting = listing.in_state(tx, PayoutState.APPROVED, after=None, limit=50)
            some = self._chance.sample(waiting, min(2, len(waiting)))
            for moved in decide(tx, Decision.CANCEL, some, actor=WHO, why="a storm"):
                self.met[f"cancel_{moved.outcome}"] += 1

    def _retry(self, database: Database) -> None:
        """What the bank refused is tried again, under the next generation's key."""
        with database.begin() as tx:
            failed = listing.in_state(tx, PayoutState.FAILED, after=None, limit=2)
            for moved in decide(tx, Decision.RETRY, failed, actor=WHO, why="a storm"):
                self.met[f"retry_{moved.outcome}"] += 1

    def _ask(self, database: Database) -> None:
        """The same run is asked for twice under one key."""
        key = f"storm:{self._chance.randrange(20)}"
        request = Request(
            job=PROCESS, queue="money", version=1, origin=Origin.OPERATOR, key=key, requested_by=WHO
        )
        with database.begin() as tx:
            [made] = runs.enqueue(tx, [request])
        self.met["run_asked_for" if made.is_new else "run_asked_for_again"] += 1
