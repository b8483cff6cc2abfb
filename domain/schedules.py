"""Schedules: which job, in what rhythm, and what becomes of times that were missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from domain.cron import Cron, read_cron
from domain.errors import BadInputError

EVERY_SECONDS_MAX: Final = 31_622_400
"""A leap year."""
RUN_ALL_MAX: Final = 100
"""How many missed times of a `run_all` schedule become runs; older ones are coalesced."""
ON_TIME_SECONDS: Final = 60.0
"""A time recorded this soon after it came was not missed."""


class CatchUp(StrEnum):
    """What becomes of times that came while no scheduler recorded them."""

    RUN_LATEST = "run_latest"
    """The latest runs and stands for the others, which are coalesced."""
    RUN_ALL = "run_all"
    """Each runs, up to the latest `RUN_ALL_MAX`."""
    SKIP = "skip"
    """None runs, except one that is not `ON_TIME_SECONDS` old."""


class TickOutcome(StrEnum):
    """What one scheduled time became."""

    RUN = "run"
    COALESCED = "coalesced"
    SKIPPED = "skipped"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """Wall-clock times by cron in a timezone, or every so many seconds counted from 1970 in UTC.

    A cron of fixed hours runs once for each time of day, on both days when the clock changes: a
    time that is skipped runs as late as the clock jumped, a time that comes twice runs the first
    time. One that matches in every hour follows elapsed time. Raises `BadInputError`.
    """

    cron: str | None = None
    every_seconds: int | None = None
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse what could not be meant."""
        if (self.cron is None) == (self.every_seconds is None):
            raise BadInputError("schedule", str(self.cron), "must have either cron or every")
        if self.cron is not None:
            read_cron(self.cron)
        if self.every_seconds is not None and not 1 <= self.every_seconds <= EVERY_SECONDS_MAX:
            raise BadInputError("every", self.every_seconds, f"must be 1 to {EVERY_SECONDS_MAX} s")
        if self.every_seconds is not None and self.timezone != "UTC":
            raise BadInputError("tz", self.timezone, "has no meaning without cron")
        _zone(self.timezone)

    def __str__(self) -> str:
        """One line that `read` understands."""
        if self.every_seconds is not None:
            return f"every {self.every_seconds}"
        return f"cron {self.timezone} {' '.join((self.cron or '').split())}"

    @classmethod
    def read(cls, text: str) -> "Rhythm":
        """Return the rhythm that was written as `text`. Raises `BadInputError`."""
        kind, _, rest = text.partition(" ")
        if kind == "every" and rest.isdigit():
            return cls(every_seconds=int(rest))
        timezone, _, cron = rest.partition(" ")
        if kind != "cron":
            raise BadInputError("rhythm", text, "must begin with cron or every")
        return cls(cron=cron, timezone=timezone)

    @property
    def matches(self) -> Cron | None:
        """What its cron expression means, or None for an interval."""
        return None if self.cron is None else read_cron(self.cron)

    @property
    def zone(self) -> ZoneInfo:
        """Its timezone."""
        return _zone(self.timezone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One line of the timetable."""

    name: str
    job: str
    rhythm: Rhythm
    catch_up: CatchUp = CatchUp.RUN_LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One scheduled time and what its policy makes of it, with a reason where it does not run."""

    tick_at: datetime
    outcome: TickOutcome
    reason: str | None


def judge(
    times: Sequence[datetime], policy: CatchUp, now: datetime, *, is_latest: bool
) -> list[Tick]:
    """Say what becomes of `times` (rising, all past). `is_latest` False: later ones follow them."""
    if policy is CatchUp.SKIP:
        late = timedelta(seconds=ON_TIME_SECONDS)
        return [_tick(t, "missed: its policy skips" if now - t > late else None) for t in times]
    kept = {CatchUp.RUN_LATEST: 1, CatchUp.RUN_ALL: RUN_ALL_MAX}[policy] if is_latest else 0
    first_kept = len(times) - kept
    return [_coalesced(t) if n < first_kept else _tick(t, None) for n, t in enumerate(times)]


def _tick(at: datetime, reason: str | None) -> Tick:
    outcome = TickOutcome.RUN if reason is None else TickOutcome.SKIPPED
    return Tick(tick_at=at, outcome=outcome, reason=reason)


def _coalesced(at: datetime) -> Tick:
    reason = "missed: a later time stands for it"
    return Tick(tick_at=at, outcome=TickOutcome.COALESCED, reason=reason)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInputError("tz", name, "must be a name such as Europe/Berlin") from error
