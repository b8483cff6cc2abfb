"""When times come: in UTC, on a zone's clock through both changes, and on leap days."""

import queue
from datetime import UTC, datetime, timedelta

import pytest

from domain.schedules import Rhythm
from schedules.clock import NEVER, Clock, next_time, times_between

DAY = timedelta(days=1)


def berlin(cron: str) -> Rhythm:
    """A rhythm on Berlin's clock."""
    return Rhythm(cron=cron, timezone="Europe/Berlin")


def hours(rhythm: Rhythm, day: datetime) -> list[str]:
    """Its times on the UTC day of `day`."""
    return [
        f"{at:%H:%M}" for at in times_between(rhythm, day - timedelta(seconds=1), day + DAY, 500)
    ]


SPRING = datetime(2026, 3, 29, tzinfo=UTC)
"""At 01:00 UTC, Berlin's clock goes from 02:00 to 03:00."""
AUTUMN = datetime(2026, 10, 25, tzinfo=UTC)
"""At 01:00 UTC, Berlin's clock goes from 03:00 back to 02:00."""


@pytest.mark.parametrize(("day", "utc"), [(SPRING, ["01:30"]), (AUTUMN, ["00:30"])])
def test_a_daily_local_time_comes_once_on_both_days_of_change(
    day: datetime, utc: list[str]
) -> None:
    """F86."""
    assert hours(berlin("30 2 * * *"), day) == utc


def test_a_time_that_comes_twice_is_not_taken_again_when_asked_in_between() -> None:
    """F86."""
    first = AUTUMN.replace(minute=30)

    assert next_time(berlin("30 2 * * *"), first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)
    assert next_time(berlin("30 2 * * *"), first - timedelta(seconds=1)) == first


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_a_rhythm_of_every_hour_follows_elapsed_time(day: datetime) -> None:
    assert len(hours(berlin("0 * * * *"), day)) == 25  # both midnights


def test_a_leap_day_comes_in_leap_years() -> None:
    """F86."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2033, 1, 1, tzinfo=UTC)

    found = times_between(Rhythm(cron="0 0 29 2 *"), start, end, 10)

    assert [at.year for at in found] == [2028, 2032]


def test_monday_is_monday_whatever_the_library_counts_from() -> None:
    saturday = datetime(2026, 11, 21, tzinfo=UTC)

    for cron in ("0 6 * * mon", "0 6 * * 1"):
        assert next_time(Rhythm(cron=cron), saturday) == datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_intervals_are_the_same_for_everybody() -> None:
    """F80: two schedulers must name the same instants."""
    rhythm = Rhythm(every_seconds=300)
    start = datetime(2026, 3, 2, 12, 1, 7, 5, tzinfo=UTC)

    assert next_time(rhythm, start) == datetime(2026, 3, 2, 12, 5, tzinfo=UTC)
    assert next_time(rhythm, next_time(rhythm, start)) == datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


def test_the_window_is_open_below_and_closed_above_and_bounded() -> None:
    rhythm, noon = Rhythm(every_seconds=60), datetime(2026, 3, 2, 12, tzinfo=UTC)

    found = times_between(rhythm, noon, noon + timedelta(minutes=2), 10)

    assert found == [noon + timedelta(minutes=1), noon + timedelta(minutes=2)]
    assert len(times_between(rhythm, noon, NEVER, 1000)) == 1000


def test_the_clock_rings_at_its_time_and_a_new_time_replaces_the_old() -> None:
    rung: queue.SimpleQueue[str] = queue.SimpleQueue()
    clock = Clock(rung.put)
    clock.start()
    try:
        soon = datetime.now(UTC)
        clock.set("moved", soon + DAY)
        clock.set("moved", soon + timedelta(seconds=0.2))
        clock.set("later", soon + DAY)
        assert rung.get(timeout=60) == "moved"
    finally:
        clock.stop()

    assert rung.empty()
