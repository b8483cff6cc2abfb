"""Two clocks are apart only by what their reading proves; a jump shows against monotonic time."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.clocks import Reading, apart_seconds, jumped_seconds

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def reading(*, ahead: float = 0.0, took: float = 0.0, at: float = 0.0) -> Reading:
    """The database read at noon plus `at`, by a process whose clock is `ahead` seconds."""
    before = NOON + timedelta(seconds=at + ahead)
    return Reading(
        before=before,
        database=NOON + timedelta(seconds=at),
        after=before + timedelta(seconds=took),
        monotonic_seconds=100 + at,
    )


@pytest.mark.parametrize(
    ("ahead", "took", "apart"), [(0, 0, 0), (3, 0, 3), (-3, 0, -3), (-3, 5, 0), (-3, 1, -2)]
)
def test_a_slow_answer_is_not_taken_for_a_wrong_clock(
    ahead: float, took: float, apart: float
) -> None:
    assert apart_seconds(reading(ahead=ahead, took=took)) == apart


def test_a_clock_that_moves_with_time_did_not_jump() -> None:
    assert jumped_seconds(reading(), reading(at=60)) == 0


@pytest.mark.parametrize("jump", [600, -600])
def test_a_clock_that_was_set_jumped(jump: float) -> None:
    """F85."""
    later = Reading(
        before=NOON,
        database=NOON + timedelta(seconds=60 + jump),
        after=NOON,
        monotonic_seconds=160,
    )

    assert jumped_seconds(reading(), later) == jump
