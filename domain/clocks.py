"""How far two clocks are apart, and whether one of them jumped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

APART_SECONDS_MAX: Final = 2.0
"""Beyond this a process must not act on times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The database's clock, read between two readings of this process's own clocks."""

    before: datetime
    database: datetime
    after: datetime
    monotonic_seconds: float
    """This process's monotonic clock at `after`."""


def apart_seconds(reading: Reading) -> float:
    """How far the process's clock is ahead of the database's, at least; 0 where it may agree."""
    if reading.before > reading.database:
        return (reading.before - reading.database).total_seconds()
    if reading.after < reading.database:
        return (reading.after - reading.database).total_seconds()
    return 0.0


def jumped_seconds(earlier: Reading, later: Reading) -> float:
    """How far the database's clock moved beyond what the monotonic clock saw pass."""
    moved = (later.database - earlier.database).total_seconds()
    return moved - (later.monotonic_seconds - earlier.monotonic_seconds)
