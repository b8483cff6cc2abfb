"""APScheduler, and nothing else that knows it: when the next time comes, and a bell at that time.

It is only a clock. Its store is memory, its times are UTC, it decides nothing: what a time becomes
is decided by rows. Wall-clock times are found in a calendar without offsets and put on the zone's
clock afterwards, so that a change of that clock neither doubles nor drops a time of day.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Any, Final

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from domain.cron import WEEKDAYS, Cron
from domain.schedules import Rhythm

NEVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""After the last time of a rhythm that ends."""
_INSTANT: Final = timedelta(microseconds=1)


def times_between(rhythm: Rhythm, after: datetime, until: datetime, limit: int) -> list[datetime]:
    """The first `limit` times of `rhythm` in (after, until], rising, in UTC."""
    return list(islice(takewhile(lambda at: at <= until, _times(rhythm, after)), limit))


def next_time(rhythm: Rhythm, after: datetime) -> datetime:
    """The first time of `rhythm` after `after`, in UTC; `NEVER` where none is left."""
    return next(_times(rhythm, after), NEVER)


def _times(rhythm: Rhythm, after: datetime) -> Iterator[datetime]:
    cron = rhythm.matches
    if rhythm.every_seconds is not None:
        return _intervals(rhythm.every_seconds, after)
    if cron is None:
        raise AssertionError("a rhythm has either cron or every")
    if cron.is_hourly:
        return _walk(_trigger(cron, rhythm.zone), after)
    return _wall_times(cron, rhythm, after)


def _intervals(seconds: int, after: datetime) -> Iterator[datetime]:
    count = int(after.timestamp()) // seconds
    while True:
        count += 1
        yield datetime.fromtimestamp(count * seconds, UTC)


def _wall_times(cron: Cron, rhythm: Rhythm, after: datetime) -> Iterator[datetime]:
    # A day early: the wall may have stood higher before the clock was set back.
    wall = after.astimezone(rhythm.zone).replace(tzinfo=UTC) - timedelta(days=1)
    last = after
    for found in _walk(_trigger(cron, UTC), wall):
        at = found.replace(tzinfo=rhythm.zone, fold=0).astimezone(UTC)
        if at > last:
            last = at
            yield at


def _walk(trigger: CronTrigger, after: datetime) -> Iterator[datetime]:
    start = after + _INSTANT
    while (found := trigger.get_next_fire_time(None, start)) is not None:
        yield found.astimezone(UTC)
        start = found.astimezone(UTC) + _INSTANT


def _trigger(cron: Cron, zone: Any) -> CronTrigger:  # noqa: ANN401  any tzinfo
    return CronTrigger(
        second=0,
        minute=_listed(cron.minutes),
        hour=_listed(cron.hours),
        day=_listed(cron.days),
        month=_listed(cron.months),
        # By name: APScheduler counts weekdays from Monday, cron from Sunday.
        day_of_week=",".join(WEEKDAYS[day] for day in sorted(cron.weekdays)),
        timezone=zone,
    )


def _listed(numbers: frozenset[int]) -> str:
    return ",".join(str(number) for number in sorted(numbers))


class _Once(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """One time, and after it none that comes.

    A job without a next time is removed by the library's thread, which raises where it is just being
    shut down; one that waits for `NEVER` is left alone.
    """

    def __init__(self, at: datetime) -> None:
        self.at = at

    def get_next_fire_time(self, previous: datetime | None, _now: datetime) -> datetime:
        return self.at if previous is None else NEVER


class Clock:
    """Calls `ring(name)` at the time set for `name`, in a thread of its own; one time per name."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        self._set: dict[str, datetime] = {}
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin to ring."""
        self._scheduler.start()

    def set(self, name: str, at: datetime) -> None:
        """Ring for `name` at `at` instead of whenever it was set to."""
        if self._set.get(name) != at:
            self._set[name] = at
            self._scheduler.add_job(
                self._ring, _Once(at), args=[name], id=name, replace_existing=True
            )

    def stop(self) -> None:
        """Ring no more; returns when the call under way has ended."""
        self._scheduler.shutdown(wait=True)
