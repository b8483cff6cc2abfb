"""What is to be recorded of one schedule now: pure, from its mark and its rhythm."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from db.schedule_settings import Effective
from db.ticks import Progress
from domain.errors import BadInputError
from domain.schedules import RUN_ALL_MAX, Rhythm, Tick, judge
from schedules.clock import next_time, times_between

PAGE_MAX: Final = 10_000
"""Ticks recorded by one statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One transaction's share: the ticks, and what is accounted for with them."""

    ticks: list[Tick]
    rhythm: Rhythm
    accounted_until: datetime
    next_tick_at: datetime
    is_all: bool
    """Nothing is left to account for after it."""


def next_part(effective: Effective, progress: Progress) -> Part:
    """Return the next share of the times since `progress.accounted_until`.

    Where the rhythm was changed, times up to the change are those of the old one. A gap longer than
    a page is recorded page by page, coalesced; the latest times are judged last, by the policy.
    """
    wanted = effective.schedule.rhythm
    rhythm, until = _rhythm_then(effective, progress)
    times = times_between(rhythm, progress.accounted_until, until, PAGE_MAX + RUN_ALL_MAX)
    policy = effective.schedule.catch_up
    if len(times) == PAGE_MAX + RUN_ALL_MAX:
        page = times[:PAGE_MAX]
        return Part(
            ticks=judge(page, policy, progress.now, is_latest=False),
            rhythm=rhythm,
            accounted_until=page[-1],
            next_tick_at=times[PAGE_MAX],
            is_all=False,
        )
    return Part(
        ticks=judge(times, policy, progress.now, is_latest=True),
        rhythm=wanted,
        accounted_until=until,
        next_tick_at=next_time(wanted, until),
        is_all=until == progress.now,
    )


def is_due(effective: Effective, progress: Progress) -> bool:
    """Say whether there is something to record: a time that came, or another rhythm."""
    changed = progress.rhythm != str(effective.schedule.rhythm)
    return changed or progress.next_tick_at <= progress.now


def _rhythm_then(effective: Effective, progress: Progress) -> tuple[Rhythm, datetime]:
    """Which rhythm held after `accounted_until`, and until when."""
    wanted = effective.schedule.rhythm
    if progress.rhythm == str(wanted):
        return wanted, progress.now
    try:
        old = Rhythm.read(progress.rhythm)
    except BadInputError:
        return wanted, progress.now
    changed_at = effective.changed_at or progress.now
    return old, min(max(changed_at, progress.accounted_until), progress.now)
