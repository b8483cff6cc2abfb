"""Rhythms are validated data, and a catch-up policy leaves no missed time unexplained."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import BadInputError
from domain.schedules import RUN_ALL_MAX, CatchUp, Rhythm, TickOutcome, judge

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RUN, COALESCED, SKIPPED = TickOutcome.RUN, TickOutcome.COALESCED, TickOutcome.SKIPPED


def missed(count: int) -> list[datetime]:
    """The last `count` times of a schedule of every hour."""
    return [NOW - timedelta(hours=n) for n in reversed(range(count))]


@pytest.mark.parametrize(
    "rhythm",
    [
        Rhythm(cron="0 6 * * mon"),
        Rhythm(cron="30 2  * * *", timezone="Europe/Berlin"),
        Rhythm(every_seconds=300),
    ],
    ids=str,
)
def test_a_rhythm_can_be_written_down_and_read_again(rhythm: Rhythm) -> None:
    assert str(Rhythm.read(str(rhythm))) == str(rhythm)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "either cron or every"),
        ({"cron": "* * * * *", "every_seconds": 5}, "either cron or every"),
        ({"every_seconds": 0}, "must be 1 to"),
        ({"every_seconds": 40_000_000}, "must be 1 to"),
        ({"every_seconds": 5, "timezone": "Europe/Berlin"}, "no meaning without cron"),
        ({"cron": "* * * * *", "timezone": "Mars/Olympus"}, "such as Europe/Berlin"),
        ({"cron": "* * * * *", "timezone": "../etc/passwd"}, "such as Europe/Berlin"),
        ({"cron": "* * * * *", "timezone": ""}, "such as Europe/Berlin"),
    ],
)
def test_a_rhythm_that_cannot_be_meant_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        Rhythm(**given)  # type: ignore[arg-type]  # wrong on purpose


def test_run_latest_runs_one_and_coalesces_the_others() -> None:
    """F81."""
    ticks = judge(missed(15), CatchUp.RUN_LATEST, NOW, is_latest=True)

    assert [tick.outcome for tick in ticks] == [COALESCED] * 14 + [RUN]
    assert all(tick.reason for tick in ticks[:-1])


def test_run_all_runs_each_up_to_its_bound() -> None:
    few = judge(missed(3), CatchUp.RUN_ALL, NOW, is_latest=True)
    many = judge(missed(RUN_ALL_MAX + 5), CatchUp.RUN_ALL, NOW, is_latest=True)

    assert [tick.outcome for tick in few] == [RUN] * 3
    assert [tick.outcome for tick in many] == [COALESCED] * 5 + [RUN] * RUN_ALL_MAX


def test_skip_runs_none_but_one_that_is_on_time() -> None:
    late = [NOW - timedelta(minutes=5), NOW - timedelta(seconds=61), NOW - timedelta(seconds=60)]

    ticks = judge(late, CatchUp.SKIP, NOW, is_latest=True)

    assert [tick.outcome for tick in ticks] == [SKIPPED, SKIPPED, RUN]


@pytest.mark.parametrize("policy", [CatchUp.RUN_LATEST, CatchUp.RUN_ALL])
def test_nothing_of_an_earlier_page_runs_where_later_times_follow(policy: CatchUp) -> None:
    ticks = judge(missed(4), policy, NOW, is_latest=False)

    assert [tick.outcome for tick in ticks] == [COALESCED] * 4


def test_no_times_are_no_ticks() -> None:
    assert judge([], CatchUp.RUN_LATEST, NOW, is_latest=True) == []
