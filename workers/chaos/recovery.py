"""What a killed worker held, and how long until others had it: the figure the bounds are held against."""

import time
from dataclasses import dataclass
from typing import Final

from db.chaos import holding
from db.chaos.holding import Holding, Left
from db.engine import Database
from domain.errors import ExpectedError
from workers.chaos.house import House
from workers.sweep import SWEEP_SECONDS

HELD_MIN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured worst case. None: it never happened."""

    name: str
    seconds: float | None
    bound_seconds: float

    @property
    def holds(self) -> bool:
        """Whether it was within its bound."""
        return self.seconds is not None and self.seconds <= self.bound_seconds


@dataclass(slots=True, kw_only=True)
class Recovery:
    """One kill: seconds since then, None until it happened."""

    worker: str
    held: list[Holding]
    bound_seconds: float
    killed_at: float
    freed_seconds: float | None = None
    """No row is under the dead worker's lease any more."""
    claimed_seconds: float | None = None
    """The first of its rows was claimed by another."""
    settled_seconds: float | None = None
    """All of them were."""

    @property
    def waits(self) -> bool:
        """Whether there is more to see."""
        return self.settled_seconds is None

    @property
    def is_late(self) -> bool:
        """Whether the bound was passed before others could have what it held.

        When they take it depends on what else waits: rows that are free stand in line with the rest.
        """
        return self.freed_seconds is None or self.freed_seconds > self.bound_seconds

    def look(self, database: Database) -> None:
        """See how far it has come."""
        if not self.waits:
            return
        try:
            with database.begin() as tx:
                left = holding.left(tx, self.held)
        except ExpectedError:
            return
        self.note(left, round(time.monotonic() - self.killed_at, 2))

    def note(self, left: Left, seconds: float) -> None:
        """Take down what is left after so many seconds."""
        if left.leased == 0 and self.freed_seconds is None:
            self.freed_seconds = seconds
        if left.untaken < len(self.held) and self.claimed_seconds is None:
            self.claimed_seconds = seconds
        if left.untaken == 0 and self.settled_seconds is None:
            self.settled_seconds = seconds


def kill_one(house: House) -> Recovery | None:
    """Kill the worker that holds most; None where none holds enough at this moment."""
    running = {child.pid: child for child in house.workers if child.pid}
    try:
        with house.observer.begin() as tx:
            pid = holding.busiest(tx, [pid for pid in running if pid])
            held = holding.of_process(tx, pid) if pid is not None else []
            if pid is None or len(held) < HELD_MIN:
                return None
            running[pid].kill()
            killed_at = time.monotonic()
            # What it settled or claimed between the look and its death is seen now.
            held = holding.of_process(tx, pid)
    except ExpectedError:
        return None
    if not held:
        return None
    return Recovery(
        worker=running[pid].name,
        held=held,
        bound_seconds=house.plan.lease_seconds + SWEEP_SECONDS,
        killed_at=killed_at,
    )
